package mailcatch

import (
	"bytes"
	"io"
	"log"
	"net"
	"time"

	"github.com/emersion/go-sasl"
	"github.com/emersion/go-smtp"
)

const maxMessage = 32 << 20 // bytes

// receive serves SMTP on l until the server is closed or refuses connections. The caller is New or holds s.mu.
func (s *Server) receive(l net.Listener) {
	srv := smtp.NewServer(smtp.BackendFunc(func(c *smtp.Conn) (smtp.Session, error) {
		return &session{catcher: s, conn: c}, nil
	}))
	srv.Domain = "mailcatch.localhost"
	srv.MaxMessageBytes = maxMessage
	srv.MaxRecipients = 100
	srv.ReadTimeout, srv.WriteTimeout = 5*time.Minute, time.Minute // RFC 5321, 4.5.3.2.7
	srv.AllowInsecureAuth = true                                   // any name and password is accepted
	srv.EnableSMTPUTF8 = true
	srv.ErrorLog = log.New(io.Discard, "", 0) // faults and tests close connections
	s.smtp, s.listener = srv, l
	go func() { _ = srv.Serve(faultyListener{l, s}) }() // returns nil
}

// A session is one SMTP connection.
type session struct {
	catcher *Server
	conn    *smtp.Conn
	from    string
	to      []string
	hit     bool // the fault applies to the current message
}

func (s *session) AuthMechanisms() []string { return []string{sasl.Plain} }

func (s *session) Auth(string) (sasl.Server, error) {
	return sasl.NewPlainServer(func(_, _, _ string) error { return nil }), nil
}

func (s *session) Mail(from string, _ *smtp.MailOptions) error {
	s.hit = s.catcher.drawFault()
	if s.hit && s.catcher.kind() == Defer {
		return &smtp.SMTPError{Code: 451, EnhancedCode: smtp.EnhancedCode{4, 3, 0}, Message: "Try again later"}
	}
	s.from = from
	return s.silent(AtMail, 0)
}

func (s *session) Rcpt(to string, _ *smtp.RcptOptions) error {
	if s.hit && s.catcher.kind() == Reject {
		return &smtp.SMTPError{Code: 550, EnhancedCode: smtp.EnhancedCode{5, 1, 1}, Message: "No such user here"}
	}
	s.to = append(s.to, to)
	return s.silent(AtRcpt, 0)
}

func (s *session) Data(r io.Reader) error {
	var raw bytes.Buffer
	if _, err := raw.ReadFrom(r); err != nil {
		return err
	}
	if err := s.silent(AfterDot, raw.Len()); err != nil {
		return err
	}
	cut := s.hit && s.catcher.kind() == CutAfterDot
	if err := s.catcher.accept(s.from, s.to, raw.Bytes(), cut); err != nil {
		return err
	}
	if cut {
		return s.conn.Close()
	}
	return nil
}

// silent blocks if the fault is silence at this step of this message.
func (s *session) silent(at Step, size int) error {
	if !s.hit {
		return nil
	}
	if err := s.catcher.beSilent(at, size); err != nil {
		_ = s.conn.Close()
		return err
	}
	return nil
}

func (s *session) Reset() { s.from, s.to, s.hit = "", nil, false }

func (s *session) Logout() error { return nil }
