package pg

import (
	"context"
	"database/sql"
	"database/sql/driver"
	"errors"
	"fmt"
	"net"
	"sync"
	"time"

	"github.com/lib/pq"
)

const (
	probeInterval = time.Second     // how often each host is asked whether it accepts writes
	probeTimeout  = 2 * time.Second // how long a probe waits for each read and write
)

// hostSet connects to the one of several servers of a database that accepts writes, and notices when another one
// takes its place.
//
// lib/pq alone tries the hosts in turn for each connection. That is not enough: a host that accepts connections and
// then does not reply holds every attempt until its deadline, and connections made before a failover stay with a
// server that never replies.
//
// So each host is asked every second over a connection of its own. The server with the newest timeline wins: a former
// primary that was not stopped may still believe that it is the primary. When the winner changes, connections to the
// other hosts are closed, and statements that wait on them return a transient error.
type hostSet struct {
	all  []*host
	stop context.CancelFunc
	done sync.WaitGroup

	mu      sync.Mutex
	current *host
}

func newHostSet(c pq.Config) (*hostSet, error) {
	h := &hostSet{}
	for _, at := range append([]pq.ConfigMultihost{{Host: c.Host, Hostaddr: c.Hostaddr, Port: c.Port}}, c.Multi...) {
		one := c.Clone()
		one.Host, one.Hostaddr, one.Port, one.Multi = at.Host, at.Hostaddr, at.Port, nil
		one.TargetSessionAttrs = pq.TargetSessionAttrsReadWrite
		if one.ConnectTimeout == 0 {
			one.ConnectTimeout = probeTimeout
		}
		next := &host{open: map[*trackedConn]struct{}{}}
		var err error
		if next.connector, err = pq.NewConnectorConfig(one); err != nil {
			return nil, err
		}
		next.connector.Dialer(next)
		eye, err := pq.NewConnectorConfig(one)
		if err != nil {
			return nil, err
		}
		eye.Dialer(deadlineDialer{})
		next.probeDB = sql.OpenDB(eye)
		next.probeDB.SetMaxOpenConns(1)
		h.all = append(h.all, next)
	}
	ctx, stop := context.WithCancel(context.Background())
	h.stop = stop
	h.probe(ctx)
	h.done.Go(func() {
		for tick := time.NewTicker(probeInterval); ; {
			select {
			case <-ctx.Done():
				tick.Stop()
				return
			case <-tick.C:
				h.probe(ctx)
			}
		}
	})
	return h, nil
}

// probe asks all hosts at once and selects the one with the newest timeline. If none answers, nothing changes.
func (h *hostSet) probe(ctx context.Context) {
	timelines := make([]string, len(h.all))
	var asked sync.WaitGroup
	for i, one := range h.all {
		asked.Go(func() { timelines[i] = one.timeline(ctx) })
	}
	asked.Wait()
	h.mu.Lock()
	defer h.mu.Unlock()
	newest := ""
	var found *host
	for i, one := range h.all {
		if timelines[i] > newest || timelines[i] == newest && newest != "" && one == h.current {
			newest, found = timelines[i], one
		}
	}
	if found == nil || found == h.current {
		return
	}
	h.current = found
	for _, one := range h.all {
		if one != found {
			one.closeAll()
		}
	}
}

func (h *hostSet) primary() *host {
	h.mu.Lock()
	defer h.mu.Unlock()
	return h.current
}

// Connect is part of driver.Connector.
func (h *hostSet) Connect(ctx context.Context) (driver.Conn, error) {
	to := h.primary()
	if to == nil {
		return nil, errNoPrimary
	}
	conn, err := to.connector.Connect(ctx)
	if err != nil {
		return nil, err
	}
	if h.primary() != to {
		return nil, errors.Join(driver.ErrBadConn, conn.Close())
	}
	return conn, nil
}

// errNoPrimary is transient: the hosts may be starting, or one of them is about to be promoted.
var errNoPrimary = fmt.Errorf("none of the database's hosts takes writes: %w", driver.ErrBadConn)

// Driver is part of driver.Connector.
func (h *hostSet) Driver() driver.Driver { return &pq.Driver{} }

// Close is called when the pool closes.
func (h *hostSet) Close() error {
	h.stop()
	h.done.Wait()
	var errs []error
	for _, one := range h.all {
		errs = append(errs, one.probeDB.Close())
	}
	return errors.Join(errs...)
}

// host is one server. As the dialer of its connections it keeps a list of them.
type host struct {
	connector *pq.Connector
	probeDB   *sql.DB

	mu   sync.Mutex
	open map[*trackedConn]struct{}
}

// timeline returns the server's timeline as hexadecimal digits that sort as text; "" if it does not answer or is
// read-only.
func (h *host) timeline(ctx context.Context) (timeline string) {
	const query = `/* pg.timeline */ SELECT left(pg_walfile_name(pg_current_wal_lsn()), 8)`
	if err := h.probeDB.QueryRowContext(ctx, query).Scan(&timeline); err != nil {
		return ""
	}
	return timeline
}

// closeAll closes all connections to the server.
func (h *host) closeAll() {
	h.mu.Lock()
	all := h.open
	h.open = map[*trackedConn]struct{}{}
	h.mu.Unlock()
	for conn := range all {
		_ = conn.Conn.Close()
	}
}

// DialContext is part of pq.DialerContext.
func (h *host) DialContext(ctx context.Context, network, address string) (net.Conn, error) {
	conn, err := dial(ctx, &net.Dialer{}, network, address)
	if err != nil {
		return nil, err
	}
	k := &trackedConn{conn, h}
	h.mu.Lock()
	defer h.mu.Unlock()
	h.open[k] = struct{}{}
	registerConn(ctx, k)
	return k, nil
}

// Dial is part of pq.Dialer.
func (h *host) Dial(network, address string) (net.Conn, error) {
	return h.DialContext(context.Background(), network, address)
}

// DialTimeout is part of pq.Dialer.
func (h *host) DialTimeout(network, address string, timeout time.Duration) (net.Conn, error) {
	ctx, cancel := context.WithTimeout(context.Background(), timeout)
	defer cancel()
	return h.DialContext(ctx, network, address)
}

// trackedConn is a connection that stays in its host's list until it is closed.
type trackedConn struct {
	net.Conn
	host *host
}

func (k *trackedConn) Close() error {
	k.host.mu.Lock()
	delete(k.host.open, k)
	k.host.mu.Unlock()
	return k.Conn.Close()
}

// deadlineDialer dials connections whose reads and writes take at most probeTimeout each.
type deadlineDialer struct{}

func (deadlineDialer) Dial(network, address string) (net.Conn, error) {
	return deadlineDialer{}.DialTimeout(network, address, probeTimeout)
}

func (deadlineDialer) DialTimeout(network, address string, timeout time.Duration) (net.Conn, error) {
	conn, err := net.DialTimeout(network, address, min(timeout, probeTimeout))
	return deadlineConn{conn}, err
}

type deadlineConn struct{ net.Conn }

func (c deadlineConn) Read(b []byte) (int, error) {
	return c.withDeadline(c.Conn.Read, b)
}

func (c deadlineConn) Write(b []byte) (int, error) {
	return c.withDeadline(c.Conn.Write, b)
}

func (c deadlineConn) withDeadline(do func([]byte) (int, error), b []byte) (int, error) {
	if err := c.Conn.SetDeadline(time.Now().Add(probeTimeout)); err != nil {
		return 0, err
	}
	return do(b)
}

// SetDeadline does nothing: each read and write sets its own.
func (deadlineConn) SetDeadline(time.Time) error { return nil }
