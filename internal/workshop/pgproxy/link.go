package pgproxy

import (
	"bufio"
	"net"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/jackc/pgx/v5/pgproto3"
)

// A link is one connection of the program and the proxy's connection to PostgreSQL that belongs to it.
type link struct {
	proxy      *Proxy
	client     *net.TCPConn
	pendingEnd atomic.Int32 // how the connection ends before the next reply; 0: it does not

	mu     sync.Mutex
	server net.Conn // nil until connectUpstream
	ended  bool
}

// connectUpstream sets the connection to PostgreSQL. It returns false if the link has ended meanwhile.
func (l *link) connectUpstream(server net.Conn) bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.ended {
		_ = server.Close()
		return false
	}
	l.server = server
	return true
}

// end closes both connections: the program's in the given way, PostgreSQL's in the same way as when the program
// disconnects. Only the first call counts.
func (l *link) end(how End) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.ended {
		return
	}
	l.ended = true
	if how == Reset {
		_ = l.client.SetLinger(0)
	}
	_ = l.client.Close()
	if l.server != nil {
		_ = l.server.Close()
	}
}

// run copies in both directions until one side has ended.
func (l *link) run() {
	defer l.end(FIN)
	if !l.begin() {
		return
	}
	var both sync.WaitGroup
	both.Go(func() { defer l.end(FIN); l.requests() })
	both.Go(func() { defer l.end(FIN); l.replies() })
	both.Wait()
}

// begin forwards the start-up message. The program sends nothing more before the answer, so no buffer holds further
// bytes.
func (l *link) begin() bool {
	for backend := pgproto3.NewBackend(l.client, nil); ; {
		first, err := backend.ReceiveStartupMessage()
		if err != nil {
			return false
		}
		switch first.(type) {
		case *pgproto3.SSLRequest, *pgproto3.GSSEncRequest:
			if _, err := l.client.Write([]byte("N")); err != nil {
				return false
			}
			continue
		}
		message, err := first.Encode(nil)
		if err != nil {
			return false
		}
		_, err = l.server.Write(message)
		return err == nil
	}
}

// requests forwards what the program writes. What it writes at once is one request.
func (l *link) requests() {
	for request := make([]byte, 64<<10); ; {
		n, err := l.client.Read(request)
		if err != nil {
			return
		}
		f := l.proxy.drawOutcome()
		time.Sleep(f.wait)
		l.proxy.waitWhileHanging()
		if f.before {
			l.end(f.end)
			return
		}
		if f.after {
			l.pendingEnd.Store(int32(f.end))
		}
		if _, err := l.server.Write(request[:n]); err != nil {
			return
		}
	}
}

// replies forwards what PostgreSQL writes, message by message.
func (l *link) replies() {
	from, to := pgproto3.NewFrontend(l.server, nil), bufio.NewWriterSize(l.client, 64<<10)
	changed := false // by the current transaction
	for message := []byte(nil); ; {
		reply, err := from.Receive()
		if err != nil {
			_ = to.Flush()
			return
		}
		l.proxy.waitWhileHanging()
		if end := End(l.pendingEnd.Load()); end != Any {
			l.end(end)
			return
		}
		if done, ok := reply.(*pgproto3.CommandComplete); ok {
			tag := string(done.CommandTag)
			if tag == "COMMIT" && changed {
				if end, swallowed := l.proxy.swallowsReply(); swallowed {
					l.end(end)
					return
				}
			}
			changed = tag != "COMMIT" && tag != "ROLLBACK" && (changed || changesRows(tag))
		}
		if message, err = reply.Encode(message[:0]); err != nil {
			return
		}
		_, err = to.Write(message)
		if err == nil && from.ReadBufferLen() == 0 {
			err = to.Flush()
		}
		if err != nil {
			return
		}
	}
}

// changesRows reports whether a command changed rows, by its tag: "INSERT 0 1", "UPDATE 0".
func changesRows(tag string) bool {
	command, _, _ := strings.Cut(tag, " ")
	return (command == "INSERT" || command == "UPDATE" || command == "DELETE") && !strings.HasSuffix(tag, " 0")
}
