/*
 * health_handlers.c - for those who run the server: does it live (/healthz), and how is it doing
 * (/metrics, text format 0.0.4 of Prometheus). Both answer when the database doesn't.
 */
#include "fcgi/auth.h"
#include "fcgi/responder.h"
#include "sql/figures.h"
#include "sql/function_counters.h"

int health(struct responder *rs, struct request *rq, struct answer *an, struct err *err)
{
    (void)rq;
    if (db_ping(rs->db, err) == 0 && responder_check_schema(rs, err) == 0) {
        buf_lit(&an->body, "{\"status\":\"ok\",\"database\":\"ok\"}");
        return 0;
    }
    an->status = STATUS_503;
    answer_header(an, "Retry-After", STR("1"));
    buf_printf(&an->body, "{\"status\":\"unavailable\",\"database\":\"%s\"}",
               err->code == ERR_CONFLICT ? "schema" : "unavailable");
    return 0;
}

static void begin_metric(struct buf *b, const char *name, const char *type, const char *help)
{
    buf_printf(b, "# HELP huskyvoice_%s %s\n# TYPE huskyvoice_%s %s\n", name, help, name, type);
}

static void gauge(struct buf *b, const char *name, int64_t value, const char *help)
{
    begin_metric(b, name, "gauge", help);
    buf_printf(b, "huskyvoice_%s %lld\n", name, (long long)value);
}

static void age(struct buf *b, const char *name, usec_t value, const char *help)
{
    begin_metric(b, name, "gauge", help);
    buf_printf(b, "huskyvoice_%s %.6f\n", name, (double)value / (double)USEC_PER_S);
}

static void write_requests(struct buf *b, const struct counters *counters)
{
    begin_metric(b, "requests_total", "counter",
                 "Requests answered on this host, by route and status.");
    for (unsigned route = 0; route <= ROUTE_COUNT; route++) {
        for (unsigned s = 0; s < STATUS_COUNT; s++) {
            uint64_t n = counters_read(counters, route, s);
            if (n == 0)
                continue;
            buf_lit(b, "huskyvoice_requests_total{route=\"");
            if (route < ROUTE_COUNT) {
                const struct route_info *info = route_info((enum route)route);
                buf_printf(b, "%s %s", method_text(info->method), info->path);
            } else {
                buf_lit(b, "none");
            }
            buf_printf(b, "\",status=\"%d\"} %llu\n", answer_status_code((enum answer_status)s),
                       (unsigned long long)n);
        }
    }
}

static void write_runs(struct buf *b, const struct counters *counters)
{
    begin_metric(b, "function_runs_total", "counter",
                 "Requests made for functions on this host, by phase and outcome.");
    for (int phase = 0; phase < FUNCTION_PHASE_COUNT; phase++) {
        for (int e = 0; e < RUN_ERROR_COUNT; e++) {
            uint64_t n =
                function_counters_read(counters, (enum function_phase)phase, (enum run_error)e);
            if (n == 0)
                continue;
            buf_printf(b, "huskyvoice_function_runs_total{phase=\"%s\",outcome=\"%s\"} %llu\n",
                       function_phase_text((enum function_phase)phase),
                       e == RUN_GOOD ? "ok" : run_error_text((enum run_error)e),
                       (unsigned long long)n);
        }
    }
}

static void write_figures(struct buf *b, const struct figures *f)
{
    gauge(b, "calls_due", f->calls_due, "Calls that are scheduled and due now.");
    gauge(b, "calls_active", f->calls_active, "Calls that are initiated, ringing or in progress.");
    age(b, "oldest_due_call_age_seconds", f->oldest_due_call_age,
        "How long the oldest due call has been due.");
    gauge(b, "figures_most", FIGURES_MOST,
          "Counts of calls and deliveries stop here: that many, or more.");
    begin_metric(b, "deliveries", "gauge", "Webhook deliveries that have not succeeded, by state.");
    buf_printf(b,
               "huskyvoice_deliveries{state=\"waiting\"} %lld\n"
               "huskyvoice_deliveries{state=\"in_flight\"} %lld\n"
               "huskyvoice_deliveries{state=\"failed\"} %lld\n",
               (long long)f->deliveries_waiting, (long long)f->deliveries_in_flight,
               (long long)f->deliveries_failed);
    age(b, "oldest_waiting_delivery_age_seconds", f->oldest_waiting_delivery_age,
        "How long the oldest waiting delivery has been due.");
    gauge(b, "endpoints_held", f->endpoints_held, "Destinations that are held after failures.");
    gauge(b, "endpoints_disabled", f->endpoints_disabled, "Destinations that are disabled.");
}

int metrics(struct responder *rs, struct request *rq, struct answer *an, struct err *err)
{
    if (!auth_is_local(rq) && !auth_token_is(rq, str_of(rs->conf->metrics_token)))
        return err_set(err, ERR_NOT_FOUND, "There is nothing at this path.");
    struct figures figures;
    bool up = figures_read(rs->db, FIGURES_MOST, rs->conf->lease_grace, &figures, err) == 0;
    an->content_type = "text/plain; version=0.0.4; charset=utf-8";
    gauge(&an->body, "up", up ? 1 : 0, "Whether the database answers.");
    write_requests(&an->body, rs->counters);
    write_runs(&an->body, rs->runs);
    if (up)
        write_figures(&an->body, &figures);
    return 0;
}
