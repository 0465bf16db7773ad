package transport_test

import (
	"errors"
	"fmt"
	"io"
	"net"
	"net/textproto"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"konbit/internal/mail/transport"
	"konbit/internal/workshop/mailcatch"
	"konbit/internal/workshop/testkit"
)

// countingProxy forwards connections to a mail server and records their times.
type countingProxy struct {
	net.Listener
	to string

	mu       sync.Mutex
	accepted []time.Time
}

func newCountingProxy(t *testing.T, to string) *countingProxy {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	d := &countingProxy{Listener: l, to: to}
	t.Cleanup(func() { _ = l.Close() })
	go func() {
		for {
			in, err := l.Accept()
			if err != nil {
				return
			}
			d.mu.Lock()
			d.accepted = append(d.accepted, time.Now())
			d.mu.Unlock()
			go d.forward(in)
		}
	}()
	return d
}

func (d *countingProxy) forward(in net.Conn) {
	out, err := net.Dial("tcp", d.to)
	if err != nil {
		_ = in.Close()
		return
	}
	var both sync.WaitGroup
	both.Go(func() { _, _ = io.Copy(out, in); _ = out.Close() })
	both.Go(func() { _, _ = io.Copy(in, out); _ = in.Close() })
	both.Wait()
}

func (d *countingProxy) count() int {
	d.mu.Lock()
	defer d.mu.Unlock()
	return len(d.accepted)
}

func (d *countingProxy) url() string { return "smtp://" + d.Addr().String() }

func catcher(t *testing.T) *mailcatch.Server {
	t.Helper()
	server, err := mailcatch.New(mailcatch.Options{})
	require.NoError(t, err)
	t.Cleanup(func() { _ = server.Close() })
	return server
}

var fastTimeouts = transport.Timeouts{
	Dial: transport.Standard.Dial / 100, Send: transport.Standard.Send / 100,
	MinBackoff: transport.Standard.MinBackoff / 100, MaxBackoff: transport.Standard.MaxBackoff / 100,
}

func newFastTransport(t *testing.T, url string, keep int) *transport.Transport {
	t.Helper()
	fast, err := transport.NewWith(fastTimeouts, url, "bounces@konbit.example", keep)
	require.NoError(t, err)
	t.Cleanup(fast.Close)
	return fast
}

func send(t *testing.T, by *transport.Transport) error {
	t.Helper()
	_, err := by.Send(t.Context(), "Gifts <gifts@tsne.example>", "ana@example.org", []byte("Subject: x\r\n\r\nx\r\n"))
	return err
}

func TestConnectionsAreReusedUnderLoad(t *testing.T) {
	server := catcher(t)
	front := newCountingProxy(t, server.SMTPAddr())
	by, err := transport.New(front.url(), "", 4)
	require.NoError(t, err)
	t.Cleanup(by.Close)
	var senders sync.WaitGroup
	for range 4 {
		senders.Go(func() {
			for range 100 {
				if err := send(t, by); err != nil {
					t.Error(err)
				}
			}
		})
	}
	senders.Wait()
	require.Len(t, server.Messages(), 400)
	require.LessOrEqual(t, front.count(), 4, "one connection each")
	for _, m := range server.Messages() {
		require.Equal(t, "ana@example.org", m.To, "one recipient for each email")
	}
}

func TestIdleConnectionClosedByServerIsNoFailure(t *testing.T) {
	server := catcher(t)
	by := newFastTransport(t, server.SMTPURL(), 2)
	require.NoError(t, send(t, by))
	server.SetFault(mailcatch.Fault{Kind: mailcatch.Refuse}) // closes the idle connection
	server.SetFault(mailcatch.Fault{})
	require.NoError(t, send(t, by))
	require.Len(t, server.Messages(), 2)
}

func TestLongIdleConnectionIsNotReused(t *testing.T) {
	server := catcher(t)
	front := newCountingProxy(t, server.SMTPAddr())
	by := newFastTransport(t, front.url(), 2)
	require.NoError(t, send(t, by))
	by.AgeIdleConnections(time.Minute)
	require.NoError(t, send(t, by))
	require.Equal(t, 2, front.count())
}

// TestHangingServerBlocksOneSender: the others get an error at once. When the server answers again, sending works.
func TestHangingServerBlocksOneSender(t *testing.T) {
	server := catcher(t)
	front := newCountingProxy(t, server.SMTPAddr())
	by := newFastTransport(t, front.url(), 8)
	server.SetFault(mailcatch.Fault{Kind: mailcatch.Hang})
	require.Error(t, send(t, by))
	before, start := front.count(), time.Now()
	var senders sync.WaitGroup
	for range 8 {
		senders.Go(func() {
			for time.Since(start) < 500*time.Millisecond {
				if send(t, by) == nil {
					t.Error("a hanging server accepted an email")
				}
				time.Sleep(time.Millisecond)
			}
		})
	}
	senders.Wait()
	require.LessOrEqual(t, front.count()-before, 12, "connections for some thousands of attempts")
	server.SetFault(mailcatch.Fault{})
	require.Eventually(t, func() bool { return send(t, by) == nil }, 3*time.Second, 5*time.Millisecond)
	require.Zero(t, by.Failures())
}

// TestSilentServerBlocksOneSender: silence at any step of SMTP counts like a failed connection. One sender waits for
// the reply; the others get an error at once, on idle connections too. When the server replies again, sending works.
func TestSilentServerBlocksOneSender(t *testing.T) {
	for name, step := range map[string]mailcatch.Step{"MAIL": mailcatch.AtMail, "RCPT": mailcatch.AtRcpt, "after the dot": mailcatch.AfterDot} {
		t.Run(name, func(t *testing.T) {
			server := catcher(t)
			by := newFastTransport(t, server.SMTPURL(), 8)
			var idle sync.WaitGroup
			for range 4 {
				idle.Go(func() { assert.NoError(t, send(t, by)) })
			}
			idle.Wait()
			server.SetFault(mailcatch.Fault{Kind: mailcatch.Silent, Step: step})
			require.ErrorContains(t, send(t, by), "did not reply")
			var waited atomic.Int64
			var senders sync.WaitGroup
			for range 8 {
				senders.Go(func() {
					for range 50 {
						err := send(t, by)
						if assert.Error(t, err) && !strings.Contains(err.Error(), "a moment ago") {
							waited.Add(1)
						}
					}
				})
			}
			senders.Wait()
			require.LessOrEqual(t, waited.Load(), int64(10), "senders that waited for a reply, of 400")
			server.SetFault(mailcatch.Fault{})
			testkit.Eventually(t, 10*time.Second, func() error { return send(t, by) })
			require.Zero(t, by.Failures())
		})
	}
}

func TestPermanentRefusals(t *testing.T) {
	for _, c := range []struct {
		step string
		code int
		says string
		good bool
	}{
		{"RCPT", 550, "5.1.1 No such user", true},
		{"RCPT", 550, "No such user", true},
		{"RCPT", 552, "5.2.2 Mailbox full", true},
		{"RCPT", 550, "5.7.1 Relaying denied", false},
		{"RCPT", 550, "5.1.8 Sender's domain not found", false},
		{"RCPT", 503, "Bad sequence", false},
		{"RCPT", 450, "4.2.0 Greylisted", false},
		{"MAIL", 550, "5.1.1 whatever", false},
		{"MAIL", 530, "5.7.0 Authentication required", false},
		{"DATA", 554, "5.5.1 No valid recipients", false},
		{"end of DATA", 550, "5.1.1 No such user", true},
		{"end of DATA", 554, "5.6.0 Malformed", true},
		{"end of DATA", 554, "5.7.1 Blocked", false},
		{"end of DATA", 554, "Spam", false},
	} {
		t.Run(fmt.Sprintf("%s %d %s", c.step, c.code, c.says), func(t *testing.T) {
			err := transport.RefusalFor(c.step, &textproto.Error{Code: c.code, Msg: c.says + " <ana@example.org>"})
			var refusal *transport.Refusal
			require.ErrorAs(t, err, &refusal)
			require.Equal(t, c.good, refusal.Permanent(), "%v", err)
			require.NotContains(t, err.Error(), "ana", "the server's text contains the address")
		})
	}
	var refusal *transport.Refusal
	require.False(t, errors.As(transport.RefusalFor("RCPT", io.EOF), &refusal))
}

func TestSMTPURLs(t *testing.T) {
	for _, bad := range []string{"", "mail.example.org", "http://mail.example.org", "smtp://", "smtp://host:port"} {
		_, err := transport.New(bad, "", 1)
		assert.ErrorContains(t, err, "SMTP_URL", bad)
	}
	_, err := transport.New("smtp://127.0.0.1:1", "not an address", 1)
	assert.ErrorContains(t, err, "MAIL_FROM")
	for _, secret := range []string{"smtp://user:hunter2@:99999x", "smtp://user:hunter2@ho st"} {
		_, err := transport.New(secret, "", 1)
		require.Error(t, err)
		assert.NotContains(t, err.Error(), "hunter2")
	}
}

// TestMailServersElsewhereNeedTLS is ASVS 5.0.0 V12.3.1: without STARTTLS no email and no password is sent to another
// machine. smtps:// speaks TLS from the first byte.
func TestMailServersElsewhereNeedTLS(t *testing.T) {
	for address, policy := range map[string]string{
		"smtp://mail.example.org": "TLSMandatory", "smtp://user:secret@mail.example.org:587": "TLSMandatory", "smtp://192.0.2.7:25": "TLSMandatory",
		"smtp://localhost.example.org": "TLSMandatory", "smtp://localhost:1025": "TLSOpportunistic", "smtp://127.0.0.1:1025": "TLSOpportunistic",
	} {
		t.Run(address, func(t *testing.T) {
			by, err := transport.New(address, "", 1)
			require.NoError(t, err)
			require.Equal(t, policy, by.TLSPolicy())
		})
	}
}
