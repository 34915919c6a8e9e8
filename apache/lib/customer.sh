# What the first customer of this server has: a workspace, an agent on the simulator, a live and a
# test key, an inbound hook, and a webhook endpoint at the receiver. Made once, kept in DIR/quickstart.env.
# shellcheck shell=sh disable=SC2154,SC2034,SC2015

# json_value NAME: the value of the string of this name in what huskyvoice-admin printed.
json_value()
{
    sed -n 's/.*"'"$1"'" *: *"\([^"]*\)".*/\1/p' | head -n 1
}

# made NAME ADMIN-ARGUMENT...: runs huskyvoice-admin and gives the named string of its answer.
made()
{
    made_name=$1
    shift
    admin_answer=$(admin --json "$@") || die_log "$dir/log/admin.log" "huskyvoice-admin $1 $2 failed"
    made_value=$(printf '%s' "$admin_answer" | json_value "$made_name")
    [ -n "$made_value" ] || die "huskyvoice-admin $1 $2 gave no $made_name"
}

read_customer()
{
    workspace_id='' agent_id='' api_key='' test_key='' webhook_id='' webhook_secret=''
    receiver_port='' hook_id='' hook_token='' owner_email='' owner_password=''
    [ -s "$dir/etc/customer" ] || return 0
    # Cut here and not by read, which takes the '=' that base64 may end with for a separator.
    while IFS='' read -r line; do
        name=${line%%=*} value=${line#*=}
        case $name in
        workspace_id) workspace_id=$value ;;
        agent_id) agent_id=$value ;;
        api_key) api_key=$value ;;
        test_key) test_key=$value ;;
        hook_id) hook_id=$value ;;
        hook_token) hook_token=$value ;;
        webhook_id) webhook_id=$value ;;
        webhook_secret) webhook_secret=$value ;;
        receiver_port) receiver_port=$value ;;
        owner_email) owner_email=$value ;;
        owner_password) owner_password=$value ;;
        esac
    done <"$dir/etc/customer"
}

write_customer()
{
    (umask 077 && cat >"$dir/etc/customer.new" <<END
workspace_id=$workspace_id
agent_id=$agent_id
api_key=$api_key
test_key=$test_key
hook_id=$hook_id
hook_token=$hook_token
webhook_id=$webhook_id
webhook_secret=$webhook_secret
receiver_port=$receiver_port
owner_email=$owner_email
owner_password=$owner_password
END
    ) && mv "$dir/etc/customer.new" "$dir/etc/customer" || die "$dir/etc/customer cannot be written"
}

choose_receiver_port()
{
    if [ -n "$receiver_port" ] && { alive receiver || port_is_free "$receiver_port"; }; then
        return
    fi
    end receiver
    receiver_port=$((port + 1))
    while [ "$receiver_port" -gt 65000 ] || ! port_is_free "$receiver_port"; do
        receiver_port=$((20000 + $(random_number) % 20000))
    done
    new_webhook=yes
}

random_number()
{
    od -An -N 2 -tu2 /dev/urandom | tr -dc '0-9'
}

# Somebody who can sign in, with a password that nobody has chosen. The address is the workspace's
# own: an owner of another workspace in the same database keeps his.
make_owner()
{
    owner_email=owner-$(printf %s "$workspace_id" | tail -c 6)@quickstart.example
    owner_password=$(od -An -N 15 -tx1 /dev/urandom | tr -dc '0-9a-f')
    printf '%s\n' "$owner_password" | admin --json user create --email "$owner_email" \
        --workspace "$workspace_id" --role owner --name Owner --password-file - >/dev/null ||
        die_log "$dir/log/admin.log" "huskyvoice-admin user create failed"
}

make_customer()
{
    new_webhook=no
    read_customer
    if [ -z "$workspace_id" ]; then
        step "Making a workspace, an agent, keys, an inbound hook and a webhook endpoint"
        made workspace_id workspace create --name Quickstart && workspace_id=$made_value
        made agent_id agent create --workspace "$workspace_id" --name "First agent" \
            --greeting "Hello, this is HuskyVoice." && agent_id=$made_value
        made key key create --workspace "$workspace_id" && api_key=$made_value
        made key key create --workspace "$workspace_id" --test && test_key=$made_value
    fi
    # What an earlier quickstart made has none yet.
    if [ -z "$hook_token" ]; then
        made url hook create --workspace "$workspace_id" --name Quickstart
        hook_token=${made_value##*/}
        hook_id=$(printf '%s' "$admin_answer" | json_value hook_id)
    fi
    [ -n "$owner_password" ] || make_owner
    choose_receiver_port
    if [ "$new_webhook" = yes ]; then
        [ -z "$webhook_id" ] || admin webhook disable "$webhook_id" >/dev/null
        made secret webhook create --workspace "$workspace_id" \
            --url "http://127.0.0.1:$receiver_port/events"
        webhook_secret=$made_value
        webhook_id=$(printf '%s' "$admin_answer" | json_value webhook_id)
    fi
    write_customer
    write_environment
}

write_environment()
{
    (umask 077 && cat >"$dir/quickstart.env.new" <<END
HV_URL=$url
HV_API_KEY=$api_key
HV_TEST_KEY=$test_key
HV_HOOK_URL=$url/v1/hooks/$hook_token
HV_WORKSPACE_ID=$workspace_id
HV_AGENT_ID=$agent_id
HV_CONFIG=$config
HV_BIN=$run/bin
HV_DB_SOCKET=$db_socket
HV_DB_NAME=$db_name
HV_DB_USER=$(id -un)
HV_WEBHOOK_SECRET=$webhook_secret
HV_EMAIL=$owner_email
HV_PASSWORD=$owner_password
END
    ) && mv "$dir/quickstart.env.new" "$dir/quickstart.env" ||
        die "$dir/quickstart.env cannot be written"
}
