package mail

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/mail"
	"net/url"
	"strconv"
	"sync"
	"time"

	gomail "github.com/wneessen/go-mail"
	"github.com/wneessen/go-mail/smtp"
)

const (
	idleLimit   = 20 * time.Second // servers close idle connections; many after 30 s
	quitTimeout = time.Second
)

// patience is how long a Transport waits.
type timeouts struct {
	dial, send             time.Duration // for a connection; for one letter
	minBackoff, maxBackoff time.Duration // between looks at a server that cannot be reached
}

var defaultTimeouts = timeouts{8 * time.Second, 15 * time.Second, 250 * time.Millisecond, 30 * time.Second}

// Transport sends messages through one SMTP server over a few kept connections. While the server cannot be
// reached, one sender at a time goes and looks, ever more rarely up to half a minute; the others are told at
// once, so that a server that hangs does not hold up the workers, nor one that comes back meet them all.
type Transport struct {
	client   *gomail.Client
	envelope string // MAIL FROM; empty: the letter's own From address
	idle     chan *connection
	timeouts timeouts

	mu       sync.Mutex
	failures int       // since the server was last reached
	nextDial time.Time // nobody dials before
}

type connection struct {
	*smtp.Client
	lastUsed time.Time
}

// NewTransport reads an address such as smtp://user:pass@host:587 (STARTTLS; required unless the host is
// this machine) or smtps://host:465, and keeps at most keep connections. envelope is the address bounces go to.
func NewTransport(address, envelope string, keep int) (*Transport, error) {
	u, err := url.Parse(address)
	if err != nil || u.Hostname() == "" || u.Scheme != "smtp" && u.Scheme != "smtps" {
		return nil, errors.New("SMTP_URL: want smtp://user:password@host:587 or smtps://host:465")
	}
	options := []gomail.Option{gomail.WithTimeout(defaultTimeouts.dial)}
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
		parsed, err := mail.ParseAddress(envelope)
		if err != nil {
			return nil, fmt.Errorf("MAIL_FROM: %w", err)
		}
		envelope = parsed.Address
	}
	return &Transport{client: client, envelope: envelope, idle: make(chan *connection, keep), timeouts: defaultTimeouts}, nil
}

func isLoopback(host string) bool {
	ip := net.ParseIP(host)
	return host == "localhost" || ip != nil && ip.IsLoopback()
}

// Send hands a message over for one recipient and answers what the server said when it took it. An error
// is a *Refusal when the server said no.
func (t *Transport) Send(ctx context.Context, from, to string, message []byte) (reply string, err error) {
	sender, err := mail.ParseAddress(from)
	if err != nil {
		return "", fmt.Errorf("sender: %w", err)
	}
	if t.envelope != "" {
		sender.Address = t.envelope
	}
	for {
		c, reused, err := t.connect(ctx)
		if err != nil {
			return "", err
		}
		reply, err = deliver(ctx, c, t.timeouts.send, sender.Address, to, message)
		var refusal *Refusal
		said := errors.As(err, &refusal)
		if err == nil || said && refusal.Code != 421 { // 421: the server is closing the connection
			t.putBack(c)
			return reply, err
		}
		_ = c.Close() // broken already
		if !reused || !errors.Is(err, errConnectionClosed) || ctx.Err() != nil {
			return "", err
		}
		// A kept connection the server had closed meanwhile: nothing was sent, so once more on a new one.
	}
}

// errGone is a connection that was closed before anything of a letter was sent.
var errConnectionClosed = errors.New("smtp: the connection was closed")

// deliver runs one SMTP transaction, within limit and the time ctx has left.
func deliver(ctx context.Context, c *connection, limit time.Duration, from, to string, message []byte) (string, error) {
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
		return "", errors.New("smtp: the connection broke while sending")
	}
	if err := w.Close(); err != nil {
		return "", refusalFor("end of DATA", err)
	}
	if data, ok := w.(interface{ ServerResponse() string }); ok {
		return data.ServerResponse(), nil
	}
	return "accepted", nil
}

// connect takes a kept connection, or makes one.
func (t *Transport) connect(ctx context.Context) (c *connection, reused bool, err error) {
	for {
		select {
		case c := <-t.idle:
			if time.Since(c.lastUsed) < idleLimit {
				return c, true, nil
			}
			_ = c.Close() // idle too long; the server may have gone
		default:
			fresh, err := t.dial(ctx)
			return fresh, false, err
		}
	}
}

func (t *Transport) dial(ctx context.Context) (*connection, error) {
	if !t.mayDial(time.Now()) {
		return nil, errors.New("smtp: no connection: the server could not be reached a moment ago")
	}
	fresh, err := t.client.DialToSMTPClientWithContext(ctx)
	t.mu.Lock()
	defer t.mu.Unlock()
	if err != nil {
		t.failures++
		t.nextDial = time.Now().Add(min(t.timeouts.minBackoff<<min(t.failures, 10), t.timeouts.maxBackoff))
		return nil, fmt.Errorf("smtp: no connection: %w", err)
	}
	t.failures, t.nextDial = 0, time.Time{}
	return &connection{Client: fresh}, nil
}

// mayDial lets everybody through to a server that answers, and one at a time to one that did not.
func (t *Transport) mayDial(now time.Time) bool {
	t.mu.Lock()
	defer t.mu.Unlock()
	if now.Before(t.nextDial) {
		return false
	}
	if t.failures > 0 {
		t.nextDial = now.Add(t.timeouts.dial) // by then we know
	}
	return true
}

// keep puts a connection back for the next letter, reset so that nothing of this one is left in it.
func (t *Transport) putBack(c *connection) {
	if c.Reset() != nil {
		_ = c.Close() // it is of no more use
		return
	}
	c.lastUsed = time.Now()
	select {
	case t.idle <- c:
	default:
		c.quit() // enough are kept
	}
}

// goodbye is a courtesy, and short.
func (c *connection) quit() {
	if c.UpdateDeadline(quitTimeout) != nil || c.Quit() != nil {
		_ = c.Close() // it is gone already
	}
}

// Close says goodbye on the kept connections.
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

// Check connects and says goodbye.
func (t *Transport) Check(ctx context.Context) error {
	c, _, err := t.connect(ctx)
	if err != nil {
		return err
	}
	return c.Quit()
}
