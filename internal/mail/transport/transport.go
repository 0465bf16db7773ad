// Package transport sends composed messages by SMTP. It knows no kind of email: package mail composes and stores them.
package transport

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/url"
	"strconv"
	"sync"
	"time"

	gomail "github.com/wneessen/go-mail"
	"github.com/wneessen/go-mail/smtp"

	"konbit/internal/platform/email"
)

const (
	idleLimit   = 20 * time.Second // servers close idle connections; many after 30 s
	quitTimeout = time.Second
)

// Timeouts are the waiting times of a Transport.
type Timeouts struct {
	Dial, Send             time.Duration // for a connection; for one email
	MinBackoff, MaxBackoff time.Duration // between attempts to reach a server that does not answer
}

// Standard are the waiting times of every installation.
var Standard = Timeouts{8 * time.Second, 15 * time.Second, 250 * time.Millisecond, 30 * time.Second}

// ErrNoRecipient: there is no address to send to.
var ErrNoRecipient = errors.New("there is no email address to send to")

// Transport sends messages through one SMTP server and reuses a few connections. While the server cannot be reached or
// is silent at any step of SMTP, one sender at a time tries, with a pause that doubles up to 30 s. The others get an
// error at once, so that a server that hangs does not block the workers, and a server that returns is not flooded with
// connections.
type Transport struct {
	client   *gomail.Client
	envelope string // MAIL FROM; empty: the email's own From address
	idle     chan *connection
	timeouts Timeouts

	mu       sync.Mutex
	failures int       // connections that failed and silences, since the server last replied to an email
	nextTry  time.Time // no sender tries before this time
}

type connection struct {
	*smtp.Client
	lastUsed time.Time
}

// New returns a transport for an address such as smtps://host:465 or smtp://user:pass@host:587. smtp:// uses
// STARTTLS, and requires it unless the host is the loopback interface. At most keep idle connections are kept. envelope
// is the address for bounces.
func New(address, envelope string, keep int) (*Transport, error) {
	return NewWith(Standard, address, envelope, keep)
}

// NewWith is New with other waiting times.
func NewWith(timeouts Timeouts, address, envelope string, keep int) (*Transport, error) {
	u, err := url.Parse(address)
	if err != nil || u.Hostname() == "" || u.Scheme != "smtp" && u.Scheme != "smtps" {
		return nil, errors.New("SMTP_URL: want smtp://user:password@host:587 or smtps://host:465")
	}
	options := []gomail.Option{gomail.WithTimeout(timeouts.Dial)}
	switch {
	case u.Scheme == "smtps":
		options = append(options, gomail.WithSSLPort(false))
	case isLoopback(u.Hostname()):
		options = append(options, gomail.WithTLSPolicy(gomail.TLSOpportunistic))
	default:
		options = append(options, gomail.WithTLSPortPolicy(gomail.TLSMandatory))
	}
	if port := u.Port(); port != "" {
		n, err := strconv.Atoi(port)
		if err != nil {
			return nil, fmt.Errorf("SMTP_URL: port %q", port)
		}
		options = append(options, gomail.WithPort(n))
	}
	if password, ok := u.User.Password(); ok {
		options = append(options, gomail.WithSMTPAuth(gomail.SMTPAuthAutoDiscover), gomail.WithUsername(u.User.Username()), gomail.WithPassword(password))
	}
	client, err := gomail.NewClient(u.Hostname(), options...)
	if err != nil {
		return nil, fmt.Errorf("SMTP_URL: %w", err)
	}
	if envelope != "" {
		parsed, err := email.Parse(envelope)
		if err != nil {
			return nil, fmt.Errorf("MAIL_FROM: %w", err)
		}
		envelope = parsed.Address
	}
	return &Transport{client: client, envelope: envelope, idle: make(chan *connection, keep), timeouts: timeouts}, nil
}

func isLoopback(host string) bool {
	ip := net.ParseIP(host)
	return host == "localhost" || ip != nil && ip.IsLoopback()
}

// Send sends a message to one recipient and returns the server's reply. The error is a *Refusal if the server refused.
// An empty recipient is an error, and no command is sent.
func (t *Transport) Send(ctx context.Context, from, to string, message []byte) (reply string, err error) {
	if to == "" {
		return "", ErrNoRecipient
	}
	sender, err := email.Parse(from)
	if err != nil {
		return "", fmt.Errorf("sender: %w", err)
	}
	if t.envelope != "" {
		sender.Address = t.envelope
	}
	if !t.mayTry(time.Now()) {
		return "", errors.New("smtp: no connection: the server could not be reached or was silent a moment ago")
	}
	for {
		c, reused, err := t.connect(ctx)
		if err != nil {
			return "", err
		}
		reply, err = transact(ctx, c, t.timeouts.Send, sender.Address, to, message)
		var refusal *Refusal
		replied := errors.As(err, &refusal)
		if err == nil || replied && refusal.Code != 421 { // 421: the server is closing the connection
			t.recordReply()
			t.putBack(c)
			return reply, err
		}
		_ = c.Close() // the connection is unusable
		if !reused || !errors.Is(err, errConnectionClosed) || ctx.Err() != nil {
			t.recordFailure(errors.Is(err, errSilent))
			return "", err
		}
		// The server had closed the idle connection: nothing was sent, so the next connection is tried.
	}
}

var (
	// errConnectionClosed: the connection was closed before any part of an email was sent.
	errConnectionClosed = errors.New("smtp: the connection was closed")
	// errSilent: the server did not reply in time.
	errSilent = errors.New("smtp: the server did not reply")
)

// transact runs one SMTP transaction, within limit and ctx's deadline.
func transact(ctx context.Context, c *connection, limit time.Duration, from, to string, message []byte) (string, error) {
	if end, ok := ctx.Deadline(); ok {
		limit = min(limit, time.Until(end))
	}
	if err := c.UpdateDeadline(limit); err != nil {
		return "", errConnectionClosed
	}
	if err := c.Mail(from); err != nil {
		return "", refusalFor("MAIL", err)
	}
	if err := c.Rcpt(to); err != nil {
		return "", refusalFor("RCPT", err)
	}
	w, err := c.Data()
	if err != nil {
		return "", refusalFor("DATA", err)
	}
	if _, err := w.Write(message); err != nil {
		return "", refusalFor("message", err)
	}
	if err := w.Close(); err != nil {
		return "", refusalFor("end of DATA", err)
	}
	if data, ok := w.(interface{ ServerResponse() string }); ok {
		return data.ServerResponse(), nil
	}
	return "accepted", nil
}

// connect returns an idle connection, or a new one.
func (t *Transport) connect(ctx context.Context) (c *connection, reused bool, err error) {
	for {
		select {
		case c := <-t.idle:
			if time.Since(c.lastUsed) < idleLimit {
				return c, true, nil
			}
			_ = c.Close() // idle for too long: the server may have closed it
		default:
			fresh, err := t.dial(ctx)
			return fresh, false, err
		}
	}
}

func (t *Transport) dial(ctx context.Context) (*connection, error) {
	fresh, err := t.client.DialToSMTPClientWithContext(ctx)
	if err != nil {
		t.recordFailure(true)
		return nil, fmt.Errorf("smtp: no connection: %w", err)
	}
	return &connection{Client: fresh}, nil
}

// mayTry reports whether a sender may use a connection: always if the server replied last time, otherwise one sender at
// a time.
func (t *Transport) mayTry(now time.Time) bool {
	t.mu.Lock()
	defer t.mu.Unlock()
	if now.Before(t.nextTry) {
		return false
	}
	if t.failures > 0 {
		t.nextTry = now.Add(t.timeouts.Dial + t.timeouts.Send) // the attempt ends before
	}
	return true
}

// recordFailure ends an attempt that failed. If the server could not be reached or was silent (unanswered), or if it
// failed before, senders pause, longer each time. A single broken connection is no reason to pause.
func (t *Transport) recordFailure(unanswered bool) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if !unanswered && t.failures == 0 {
		return
	}
	t.failures++
	t.nextTry = time.Now().Add(min(t.timeouts.MinBackoff<<min(t.failures, 10), t.timeouts.MaxBackoff))
}

// recordReply records that the server replied to an email: senders no longer pause. A connection alone shows nothing,
// because a server may accept it and then be silent.
func (t *Transport) recordReply() {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.failures, t.nextTry = 0, time.Time{}
}

// putBack resets a connection and keeps it for the next email.
func (t *Transport) putBack(c *connection) {
	if c.Reset() != nil {
		_ = c.Close() // the connection is unusable
		return
	}
	c.lastUsed = time.Now()
	select {
	case t.idle <- c:
	default:
		c.quit() // enough connections are idle
	}
}

// quit ends the connection with QUIT, within quitTimeout.
func (c *connection) quit() {
	if c.UpdateDeadline(quitTimeout) != nil || c.Quit() != nil {
		_ = c.Close() // the connection is closed already
	}
}

// Close ends the idle connections.
func (t *Transport) Close() {
	for {
		select {
		case c := <-t.idle:
			c.quit()
		default:
			return
		}
	}
}

// Check connects to the server and disconnects. It reports an error if the server cannot be reached or refuses the
// password.
func (t *Transport) Check(ctx context.Context) error {
	c, _, err := t.connect(ctx)
	if err != nil {
		return err
	}
	return c.Quit()
}
