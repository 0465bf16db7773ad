package mailcatch

import (
	"net"
	"slices"
	"time"
)

// A Kind is a way mail servers fail.
type Kind int

const (
	Healthy     Kind = iota
	Refuse           // no connection is accepted, and open ones are cut
	Hang             // connections are accepted and then nothing more is said, on open ones too
	Defer            // MAIL is answered 451
	Reject           // RCPT is answered 550 5.1.1, no such user
	CutAfterDot      // the message is kept, and the connection cut before it is acknowledged
)

// A Fault is what goes wrong, and how often. The zero Fault is health.
type Fault struct {
	Kind Kind
	// Every makes Defer, Reject and CutAfterDot fall on each n-th message only; 0 and 1 mean each.
	Every int
}

// SetFault replaces the current fault, for connections already open too. It returns when new connections meet the new state.
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
		if l, err := net.Listen("tcp", s.addr); err == nil { // our own port of a moment ago; if it was taken, we go on refusing
			s.receive(l)
		}
	}
}

func (s *Server) kind() Kind {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.fault.Kind
}

// falls counts a message and reports whether the fault falls on it.
func (s *Server) drawFault() bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.counted++
	return s.fault.Kind != Healthy && s.counted%max(s.fault.Every, 1) == 0
}

// Dials tells when each connection was accepted, oldest first.
func (s *Server) Dials() []time.Time {
	s.mu.Lock()
	defer s.mu.Unlock()
	return slices.Clone(s.dials)
}

// cut stops receiving and cuts open connections. The caller holds s.mu.
func (s *Server) cut() {
	if s.smtp == nil {
		return
	}
	_ = s.listener.Close() // srv knows it only once its goroutine runs
	_ = s.smtp.Close()
	s.smtp = nil
}

// pass waits while the server hangs, and then lets a connection's bytes through unless connections are refused.
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

// faulty puts a listener's connections under the faults of its server.
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
