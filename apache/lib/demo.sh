# A call from the reference's own curl line to its signed events, told as it happens.
# shellcheck shell=sh disable=SC2154,SC2034,SC2015

tell_running()
{
    say
    say "The server runs on $url ($server); its keys and ids are in $dir/quickstart.env."
}

now()
{
    date +%H:%M:%S
}

quiet_curl()
{
    curl -s --noproxy '*' --max-time 20 "$@"
}

demo()
{
    demo_key=call-request-$(date +%s)-$$
    demo_body='{
  "agent_id": "'$agent_id'",
  "contact_number": "+919876543210",
  "contact_name": "Raj Patel",
  "contact_email": "raj@company.com",
  "additional_info": {
    "company": "Acme Corp",
    "deal_stage": "negotiation"
  }
}'
    lines_told=0
    [ ! -e "$dir/log/receiver.log" ] || lines_told=$(wc -l <"$dir/log/receiver.log")
    say
    step "A call"
    cat <<END
curl -X POST $url/v1/calls \\
-H "Authorization: Bearer $api_key" \\
-H "Content-Type: application/json" \\
-H "Idempotency-Key: $demo_key" \\
-d '$demo_body'
END
    demo_answer=$(quiet_curl -w '\n%{http_code}' -X POST "$url/v1/calls" \
        -H "Authorization: Bearer $api_key" \
        -H "Content-Type: application/json" \
        -H "Idempotency-Key: $demo_key" \
        -d "$demo_body") || die "the request failed"
    say
    say "$(now)  answer     $(printf '%s' "$demo_answer" | tail -n 1)  $(printf '%s' "$demo_answer" | sed '$d')"
    call_id=$(printf '%s' "$demo_answer" | json_value call_id)
    [ -n "$call_id" ] || die "the call was not made"
    if [ "$want_dispatcher" = yes ]; then
        follow_call
    fi
}

# The state by GET, the events by what the receiver writes down, until both are complete.
follow_call()
{
    told_state='' follow_until=$(($(date +%s) + 20))
    while [ "$(date +%s)" -lt "$follow_until" ]; do
        state=$(quiet_curl "$url/v1/calls/$call_id" -H "Authorization: Bearer $api_key" |
            json_value status)
        if [ -n "$state" ] && [ "$state" != "$told_state" ]; then
            say "$(now)  state      $state"
            told_state=$state
        fi
        tell_events
        case "$state $(events_of_call)" in
        'completed '[2-9]*) return 0 ;;
        esac
        sleep 0.1
    done
    say "The call or its events take longer than they should; the logs are in $dir/log."
    return 1
}

tell_events()
{
    lines_now=$(wc -l <"$dir/log/receiver.log")
    [ "$lines_now" -gt "$lines_told" ] || return 0
    sed -n "$((lines_told + 1)),${lines_now}p" "$dir/log/receiver.log" |
        sed -n 's/^[^ ]* \(call\.\)/\1/p' | sed "s/^/$(now)  event      /"
    lines_told=$lines_now
}

events_of_call()
{
    grep -c "call_id=$call_id.*signature=ok" "$dir/log/receiver.log"
}

tell_next()
{
    cat <<END

== Next
. $dir/quickstart.env
curl \$HV_URL/v1/calls -H "Authorization: Bearer \$HV_API_KEY"          # the list of calls
curl -X POST \$HV_URL/v1/calls/CALL_ID/cancel -H "Authorization: Bearer \$HV_API_KEY"
curl -X POST \$HV_URL/v1/calls -H "Authorization: Bearer \$HV_TEST_KEY" -H "Content-Type: application/json" \\
    -d '{"agent_id": "'\$HV_AGENT_ID'", "contact_number": "+919000000002"}'  # busy; ...03: no answer, ...06: voicemail
curl -X POST \$HV_HOOK_URL -H "Content-Type: application/json" \\
    -d '{"action": "call.create", "data": {"agent_id": "'\$HV_AGENT_ID'", "contact_number": "+919876543210"}}'
\$HV_BIN/huskyvoice-admin --config \$HV_CONFIG call show ${call_id:-CALL_ID}
\$HV_BIN/huskyvoice-dispatch --config \$HV_CONFIG --status
tail -f $dir/log/receiver.log                        # events as they arrive

Everything keeps running. To end it:  sh apache/quickstart --stop$stop_dir
END
}
