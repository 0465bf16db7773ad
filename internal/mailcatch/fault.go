package mailcatch

import "net"

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
	close(s.healed)
	s.healed = make(chan struct{})
	s.fault, s.counted = f, 0
	switch {
	case f.Kind == Refuse && s.smtp != nil:
		_ = s.smtp.Close()
		s.smtp = nil
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
func (s *Server) falls() bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.counted++
	return s.fault.Kind != Healthy && s.counted%max(s.fault.Every, 1) == 0
}

// hold waits while the server hangs.
func (s *Server) hold() {
	for {
		s.mu.Lock()
		hangs, healed := s.fault.Kind == Hang, s.healed
		s.mu.Unlock()
		if !hangs {
			return
		}
		<-healed
	}
}

// hanging makes the connections of a listener hang when its server does.
type hanging struct {
	net.Listener
	s *Server
}

func (l hanging) Accept() (net.Conn, error) {
	c, err := l.Listener.Accept()
	if err != nil {
		return nil, err
	}
	return hangingConn{c, l.s}, nil
}

type hangingConn struct {
	net.Conn
	s *Server
}

func (c hangingConn) Read(p []byte) (int, error) {
	c.s.hold()
	return c.Conn.Read(p)
}

func (c hangingConn) Write(p []byte) (int, error) {
	c.s.hold()
	return c.Conn.Write(p)
}
