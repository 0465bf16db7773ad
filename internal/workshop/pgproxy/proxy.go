package pgproxy

import (
	"fmt"
	"math/rand/v2"
	"net"
	"net/url"
	"path/filepath"
	"sync"
	"time"
)

// A Proxy forwards connections from Start until Close. It is safe for concurrent use.
type Proxy struct {
	url      url.URL // the database's address through the proxy
	addr     string
	upstream [2]string // network and address of PostgreSQL
	done     sync.WaitGroup

	mu       sync.Mutex // guards the fields below
	chance   *rand.Rand
	faults   Faults
	counts   Counts
	changed  chan struct{} // closed and replaced when the faults change
	listener net.Listener  // nil while connections are refused
	links    map[*link]struct{}
	closed   bool
}

// Start starts a proxy for the database of a URL (postgres://user@host:port/name, or with host and port as parameters).
// Random choices follow from the seed, if requests come in the same order.
func Start(database string, seed uint64) (*Proxy, error) {
	u, err := url.Parse(database)
	if err != nil {
		return nil, fmt.Errorf("pgproxy: %w", err)
	}
	p := &Proxy{upstream: upstream(u), changed: make(chan struct{}), links: map[*link]struct{}{}, chance: rand.New(rand.NewPCG(seed, 3))}
	if p.addr, err = freeAddr(); err != nil {
		return nil, err
	}
	q := u.Query()
	q.Del("host")
	q.Del("port")
	q.Set("sslmode", "disable")
	u.Host, u.RawQuery = p.addr, q.Encode()
	p.url = *u
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.listen(); p.listener == nil {
		return nil, fmt.Errorf("pgproxy: %s was taken", p.addr)
	}
	return p, nil
}

// upstream returns the network and address of the URL's server.
func upstream(u *url.URL) [2]string {
	host, port := u.Hostname(), u.Port()
	if q := u.Query(); host == "" {
		host, port = q.Get("host"), q.Get("port")
	}
	if port == "" {
		port = "5432"
	}
	if filepath.IsAbs(host) {
		return [2]string{"unix", filepath.Join(host, ".s.PGSQL."+port)}
	}
	return [2]string{"tcp", net.JoinHostPort(host, port)}
}

// freeAddr returns an address below the range of ports that systems use for outgoing connections. No outgoing
// connection can occupy it while the proxy refuses connections.
func freeAddr() (string, error) {
	for range 100 {
		l, err := net.Listen("tcp", fmt.Sprintf("127.0.0.1:%d", 12000+rand.IntN(8000)))
		if err == nil {
			return l.Addr().String(), l.Close()
		}
	}
	return "", fmt.Errorf("pgproxy: no free port")
}

// URL returns the database's address through the proxy, for DATABASE_URL.
func (p *Proxy) URL() string { return p.url.String() }

// Close closes every connection and waits until all have ended.
func (p *Proxy) Close() {
	p.mu.Lock()
	p.closed = true
	p.stopListening()
	close(p.changed)
	p.changed = make(chan struct{})
	for l := range p.links {
		l.end(FIN)
	}
	p.mu.Unlock()
	p.done.Wait()
}

// listen starts to accept connections if the proxy does not yet. The caller holds the lock.
func (p *Proxy) listen() {
	var err error
	for range 100 { // a connection that is ending can occupy the address for a moment
		if p.listener != nil {
			return
		}
		if p.listener, err = net.Listen("tcp", p.addr); err != nil {
			p.listener = nil
			time.Sleep(10 * time.Millisecond)
			continue
		}
		l := p.listener
		p.done.Go(func() { p.accept(l) })
	}
}

// stopListening refuses connections. The caller holds the lock.
func (p *Proxy) stopListening() {
	if p.listener != nil {
		_ = p.listener.Close()
		p.listener = nil
	}
}

func (p *Proxy) accept(l net.Listener) {
	for {
		c, err := l.Accept()
		if err != nil {
			return
		}
		p.done.Go(func() { p.serve(c.(*net.TCPConn)) })
	}
}

// serve forwards one connection. If PostgreSQL is down, it resets the connection, because a server that is down would
// not answer.
func (p *Proxy) serve(client *net.TCPConn) {
	l := &link{proxy: p, client: client}
	if !p.addLink(l) {
		return
	}
	defer p.removeLink(l)
	p.waitWhileHanging()
	server, err := net.Dial(p.upstream[0], p.upstream[1])
	if err != nil {
		l.end(Reset)
		return
	}
	if l.connectUpstream(server) {
		l.run()
	}
}

// addLink records a link, or ends it if there must be no connections.
func (p *Proxy) addLink(l *link) bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.closed || p.faults.Refuse {
		l.end(Reset)
		return false
	}
	p.links[l] = struct{}{}
	return true
}

func (p *Proxy) removeLink(l *link) {
	p.mu.Lock()
	defer p.mu.Unlock()
	delete(p.links, l)
}
