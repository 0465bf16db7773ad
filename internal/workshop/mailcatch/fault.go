package mailcatch

import (
	"context"
	"net"
	"slices"
	"time"
)

// A Kind is a way mail servers fail.
type Kind int

const (
	Healthy     Kind = iota
	Refuse           // no connection is accepted, and open ones are closed
	Hang             // connections are accepted and then the server is silent, on open ones too
	Defer            // MAIL is answered 451
	Reject           // RCPT is answered 550 5.1.1, no such user
	CutAfterDot      // the message is stored, and the connection is closed before the server acknowledges it
	Silent           // the server is silent after the step Fault.Step, until the fault ends; the message is not stored
)

// A Step is a step of an SMTP transaction.
type Step int

// The steps after which a Silent server does not reply.
const (
	AtMail Step = iota
	AtRcpt
	AfterDot // the whole message has arrived
)

// A Fault is what fails, and how often. The zero Fault is no fault.
type Fault struct {
	Kind Kind
	// Every applies Defer, Reject, CutAfterDot and Silent to each n-th message only; 0 and 1 mean each.
	Every int
	// Step is where a Silent server becomes silent.
	Step Step
	// MinBytes applies Silent after the dot to messages of at least this size only: a server that checks attachments.
	MinBytes int
}

// SetFault replaces the current fault, also for open connections. When it returns, new connections get the new
// behaviour.
func (s *Server) SetFault(f Fault) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.setFault(f)
}

func (s *Server) setFault(f Fault) {
	close(s.healed)
	s.healed = make(chan struct{})
	s.fault, s.counted = f, 0
	switch {
	case f.Kind == Refuse:
		s.cut()
	case f.Kind != Refuse && s.smtp == nil && !s.closed:
		if l, err := net.Listen("tcp", s.addr); err == nil { // the port we had a moment ago; if another program has taken it, the server refuses on
			s.receive(l)
		}
	}
}

func (s *Server) kind() Kind {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.fault.Kind
}

// drawFault counts a message and reports whether the fault applies to it.
func (s *Server) drawFault() bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.counted++
	return s.fault.Kind != Healthy && s.counted%max(s.fault.Every, 1) == 0
}

// beSilent blocks until the fault ends if the server is silent at a step for a message of this size, and then reports
// an error that closes the connection.
func (s *Server) beSilent(at Step, size int) error {
	s.mu.Lock()
	f, healed := s.fault, s.healed
	applies := f.Kind == Silent && f.Step == at && size >= f.MinBytes
	if applies {
		s.silences++
	}
	s.mu.Unlock()
	if !applies {
		return nil
	}
	<-healed
	return net.ErrClosed
}

// WaitForSilence waits until the server is silent to one more message. It reports an error if ctx ends before.
func (s *Server) WaitForSilence(ctx context.Context) error {
	s.mu.Lock()
	before := s.silences
	s.mu.Unlock()
	tick := time.NewTicker(10 * time.Millisecond)
	defer tick.Stop()
	for {
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-tick.C:
		}
		s.mu.Lock()
		more := s.silences > before
		s.mu.Unlock()
		if more {
			return nil
		}
	}
}

// Dials returns when each connection was accepted, oldest first.
func (s *Server) Dials() []time.Time {
	s.mu.Lock()
	defer s.mu.Unlock()
	return slices.Clone(s.dials)
}

// cut stops receiving and closes open connections. The caller holds s.mu.
func (s *Server) cut() {
	if s.smtp == nil {
		return
	}
	_ = s.listener.Close() // srv knows the listener only after its goroutine has started
	_ = s.smtp.Close()
	s.smtp = nil
}

// waitWhileHanging blocks while the server hangs. It reports an error if connections are refused.
func (s *Server) waitWhileHanging() error {
	for {
		s.mu.Lock()
		kind, healed := s.fault.Kind, s.healed
		s.mu.Unlock()
		switch kind {
		case Hang:
			<-healed
		case Refuse:
			return net.ErrClosed
		default:
			return nil
		}
	}
}

// faultyListener applies its server's faults to the connections that it accepts.
type faultyListener struct {
	net.Listener
	s *Server
}

func (l faultyListener) Accept() (net.Conn, error) {
	c, err := l.Listener.Accept()
	if err != nil {
		return nil, err
	}
	l.s.mu.Lock()
	defer l.s.mu.Unlock()
	l.s.dials = append(l.s.dials, time.Now())
	return faultyConn{c, l.s}, nil
}

type faultyConn struct {
	net.Conn
	s *Server
}

func (c faultyConn) Read(p []byte) (int, error) {
	if err := c.s.waitWhileHanging(); err != nil {
		return 0, err
	}
	return c.Conn.Read(p)
}

func (c faultyConn) Write(p []byte) (int, error) {
	if err := c.s.waitWhileHanging(); err != nil {
		return 0, err
	}
	return c.Conn.Write(p)
}
