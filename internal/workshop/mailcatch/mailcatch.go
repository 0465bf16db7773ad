package mailcatch

import (
	"bytes"
	"context"
	"fmt"
	"net"
	"net/http"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/emersion/go-message/mail"
	"github.com/emersion/go-smtp"
)

// Options configure a Server. The zero Options listen on a free local port and keep messages in memory.
type Options struct {
	SMTPAddr string           // address for SMTP; empty: a free port of 127.0.0.1
	Dir      string           // directory for messages, created if absent; empty: in memory
	Now      func() time.Time // nil: the machine's clock
}

// A Message is one message as received. The fields beside Raw are for finding it; Email parses the rest.
type Message struct {
	ID        string    `json:"id"`
	From      string    `json:"from"`       // the address of the From field, or the envelope's sender if that is missing
	To        string    `json:"to"`         // the envelope's recipients, separated by ", "
	Subject   string    `json:"subject"`    // decoded
	MessageID string    `json:"message_id"` // without angle brackets
	Received  time.Time `json:"received"`
	Cut       bool      `json:"-"` // stored, and the connection closed before the acknowledgement
	Raw       []byte    `json:"-"`
}

// A Server receives mail over SMTP from New until Close and is the http.Handler of its inbox. It is safe for concurrent
// use.
type Server struct {
	o     Options
	addr  string
	pages http.Handler

	mu       sync.Mutex
	messages []Message     // oldest first
	logins   []Login       // of the authenticator
	arrived  chan struct{} // closed and replaced at each arrival
	smtp     *smtp.Server  // nil while connections are refused, and after Close
	listener net.Listener  // the listener of smtp
	fault    Fault
	counted  int           // messages seen since the fault was set
	dials    []time.Time   // when each connection was accepted
	healed   chan struct{} // closed when the fault is lifted
	silences int           // messages to which the server was silent
	closed   bool
}

// New starts receiving. The inbox also shows messages that are already in o.Dir.
func New(o Options) (*Server, error) {
	if o.SMTPAddr == "" {
		o.SMTPAddr = "127.0.0.1:0"
	}
	if o.Now == nil {
		o.Now = time.Now
	}
	kept, err := load(o.Dir)
	if err != nil {
		return nil, fmt.Errorf("mailcatch: %w", err)
	}
	l, err := net.Listen("tcp", o.SMTPAddr)
	if err != nil {
		return nil, fmt.Errorf("mailcatch: %w", err)
	}
	s := &Server{o: o, addr: l.Addr().String(), messages: kept, arrived: make(chan struct{}), healed: make(chan struct{})}
	s.pages = s.routes()
	s.receive(l)
	return s, nil
}

// SMTPAddr returns the address of SMTP as host:port. Faults do not change it.
func (s *Server) SMTPAddr() string { return s.addr }

// SMTPURL returns the address in the form of the setting SMTP_URL.
func (s *Server) SMTPURL() string { return "smtp://" + s.addr }

// ServeHTTP serves the inbox.
func (s *Server) ServeHTTP(w http.ResponseWriter, r *http.Request) { s.pages.ServeHTTP(w, r) }

// Messages returns the received messages, newest first.
func (s *Server) Messages() []Message {
	s.mu.Lock()
	defer s.mu.Unlock()
	newest := slices.Clone(s.messages)
	slices.Reverse(newest)
	return newest
}

// Message returns the message with this id, if there is one.
func (s *Server) Message(id string) (Message, bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	i := slices.IndexFunc(s.messages, func(m Message) bool { return m.ID == id })
	if i < 0 {
		return Message{}, false
	}
	return s.messages[i], true
}

// WaitFor waits until there are n messages in all and returns them, newest first.
func (s *Server) WaitFor(ctx context.Context, n int) ([]Message, error) {
	for {
		s.mu.Lock()
		have, arrived := len(s.messages), s.arrived
		s.mu.Unlock()
		if have >= n {
			return s.Messages(), nil
		}
		select {
		case <-arrived:
		case <-ctx.Done():
			return nil, fmt.Errorf("mailcatch: %d of %d messages: %w", have, n, ctx.Err())
		}
	}
}

// Close stops receiving and closes open connections. Messages in a directory stay there.
func (s *Server) Close() error {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.closed = true
	s.cut()
	s.setFault(Fault{}) // wakes connections that hang
	return nil
}

// accept stores a message. If there is a directory, the message is safe on disk when accept returns.
func (s *Server) accept(from string, to []string, raw []byte, cut bool) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	now := s.o.Now().UTC()
	m := Message{
		ID:       fmt.Sprintf("%s-%d", now.Format("20060102T150405.000"), len(s.messages)+1),
		From:     from,
		To:       strings.Join(to, ", "),
		Received: now,
		Cut:      cut,
		Raw:      raw,
	}
	describe(&m)
	if err := save(s.o.Dir, m); err != nil {
		return fmt.Errorf("mailcatch: %w", err)
	}
	s.messages = append(s.messages, m)
	close(s.arrived)
	s.arrived = make(chan struct{})
	return nil
}

// describe sets the fields that come from the message's header. It does not change a field that it cannot read.
func describe(m *Message) {
	r, err := mail.CreateReader(bytes.NewReader(m.Raw))
	if r == nil || (err != nil && r.Header.Len() == 0) {
		return
	}
	if from, err := r.Header.AddressList("From"); err == nil && len(from) > 0 {
		m.From = from[0].Address
	}
	m.Subject, _ = r.Header.Subject()
	m.MessageID, _ = r.Header.MessageID()
}
