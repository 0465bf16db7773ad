package mail

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/mail"
	"net/textproto"
	"net/url"
	"strconv"
	"time"

	gomail "github.com/wneessen/go-mail"
	"github.com/wneessen/go-mail/smtp"
)

const (
	dialTimeout = 8 * time.Second
	sendTimeout = 15 * time.Second
	idleLimit   = 20 * time.Second // servers close idle connections; many after 30 s
)

// Transport sends messages through one SMTP server over a few kept connections.
type Transport struct {
	client   *gomail.Client
	envelope string // MAIL FROM; empty: the letter's own From address
	kept     chan *connection
}

type connection struct {
	*smtp.Client
	used time.Time
}

// NewTransport reads an address such as smtp://user:pass@host:587 (STARTTLS; required unless the host is
// this machine) or smtps://host:465, and keeps at most keep connections. envelope is the address bounces go to.
func NewTransport(address, envelope string, keep int) (*Transport, error) {
	u, err := url.Parse(address)
	if err != nil || u.Hostname() == "" || u.Scheme != "smtp" && u.Scheme != "smtps" {
		return nil, errors.New("SMTP_URL: want smtp://user:password@host:587 or smtps://host:465")
	}
	options := []gomail.Option{gomail.WithTimeout(dialTimeout)}
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
	return &Transport{client: client, envelope: envelope, kept: make(chan *connection, keep)}, nil
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
		reply, err = deliver(c, sender.Address, to, message)
		var refusal *Refusal
		said := errors.As(err, &refusal)
		if err == nil || said && refusal.Code != 421 { // 421: the server is closing the connection
			t.keep(c)
			return reply, err
		}
		_ = c.Close() // broken already
		if said || !reused || ctx.Err() != nil {
			return "", err
		}
		// A kept connection the server had closed meanwhile: once more with a new one.
	}
}

// deliver runs one SMTP transaction.
func deliver(c *connection, from, to string, message []byte) (string, error) {
	if err := c.UpdateDeadline(sendTimeout); err != nil {
		return "", err
	}
	if err := c.Mail(from); err != nil {
		return "", refused("MAIL", err)
	}
	if err := c.Rcpt(to); err != nil {
		return "", refused("RCPT", err)
	}
	w, err := c.Data()
	if err != nil {
		return "", refused("DATA", err)
	}
	if _, err := w.Write(message); err != nil {
		return "", errors.New("smtp: the connection broke while sending")
	}
	if err := w.Close(); err != nil {
		return "", refused("end of DATA", err)
	}
	if data, ok := w.(interface{ ServerResponse() string }); ok {
		return data.ServerResponse(), nil
	}
	return "accepted", nil
}

// Refusal is a server's no. It carries its codes and not its words, which often quote the address.
type Refusal struct {
	Step string // of the SMTP transaction
	Code int    // RFC 5321 reply code; 4xx may pass, 5xx will not
}

func (r *Refusal) Error() string { return fmt.Sprintf("smtp: %d at %s", r.Code, r.Step) }

// Permanent tells whether trying the same again is pointless. A refused sender is not: that is a setting of
// ours, and once it is mended the letters go out.
func (r *Refusal) Permanent() bool { return r.Code >= 500 && r.Step != "MAIL" }

func refused(step string, err error) error {
	var said *textproto.Error
	if errors.As(err, &said) {
		return &Refusal{step, said.Code}
	}
	return fmt.Errorf("smtp: the connection broke at %s", step)
}

func (t *Transport) connect(ctx context.Context) (c *connection, reused bool, err error) {
	for {
		select {
		case c := <-t.kept:
			if time.Since(c.used) < idleLimit {
				return c, true, nil
			}
			_ = c.Close() // idle too long; the server may have gone
		default:
			fresh, err := t.client.DialToSMTPClientWithContext(ctx)
			if err != nil {
				return nil, false, fmt.Errorf("smtp: no connection: %w", err)
			}
			return &connection{Client: fresh}, false, nil
		}
	}
}

// keep puts a connection back for the next letter, reset so that nothing of this one is left in it.
func (t *Transport) keep(c *connection) {
	if c.Reset() != nil {
		_ = c.Close() // it is of no more use
		return
	}
	c.used = time.Now()
	select {
	case t.kept <- c:
	default:
		_ = c.Quit() // enough are kept
	}
}

// Close says goodbye on the kept connections.
func (t *Transport) Close() {
	for {
		select {
		case c := <-t.kept:
			_ = c.Quit() // a courtesy
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
