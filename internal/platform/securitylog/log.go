package securitylog

import (
	"context"
	"log/slog"
	"sync/atomic"
)

// Log is the security log. Its fields may be nil.
type Log struct {
	Log   *slog.Logger
	Count func(Event) // is called for each entry; may be nil
}

// request is what the entries of one request have in common.
type request struct {
	*Log
	reference, network string
	recorded           atomic.Bool
}

type requestKey struct{}

// With returns the context of a request whose events the log records, with its reference and its client's network. A
// log that is nil records nothing.
func (l *Log) With(ctx context.Context, reference, network string) context.Context {
	if l == nil {
		return ctx
	}
	return context.WithValue(ctx, requestKey{}, &request{Log: l, reference: reference, network: network})
}

// Record records an event of the request. Outside a request it does nothing.
func Record(ctx context.Context, e Event) { record(ctx, e) }

// Limit records that a limit was reached. name is fixed text, such as "sign-in emails".
func Limit(ctx context.Context, name string) { record(ctx, LimitReached, slog.String("limit", name)) }

// RecordRefusal records why the request is refused, unless a more precise event was recorded before.
func RecordRefusal(ctx context.Context, e Event) {
	if r, ok := ctx.Value(requestKey{}).(*request); ok && !r.recorded.Load() {
		record(ctx, e)
	}
}

// Act records that an operator ran a command, outside a request. command and operator are names: the command's without its
// arguments, and that of the operating system's user.
func (l *Log) Act(ctx context.Context, command, operator string, err error) {
	e := CommandDone
	if err != nil {
		e = CommandFailed
	}
	if l.Count != nil {
		l.Count(e)
	}
	if l.Log != nil {
		attrs := []slog.Attr{slog.String("event", string(e)), slog.String("command", command), slog.String("operator", operator)}
		l.Log.LogAttrs(ctx, levelOf(e), "security", attrs...)
	}
}

func record(ctx context.Context, e Event, more ...slog.Attr) {
	r, ok := ctx.Value(requestKey{}).(*request)
	if !ok {
		return
	}
	r.recorded.Store(true)
	if r.Count != nil {
		r.Count(e)
	}
	if r.Log.Log != nil {
		attrs := append([]slog.Attr{slog.String("event", string(e)), slog.String("network", r.network), slog.String("reference", r.reference)}, more...)
		r.Log.Log.LogAttrs(ctx, levelOf(e), "security", attrs...)
	}
}
