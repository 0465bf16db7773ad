package pg

import (
	"context"
	"database/sql/driver"
	"net"
	"sync"
	"sync/atomic"
	"time"

	"github.com/lib/pq"
)

const (
	// mercy is how long PostgreSQL has to answer, if only that a statement is cancelled, after the end of that statement's ctx.
	cancelGrace = 500 * time.Millisecond
	// connectWait is how long PostgreSQL may take to let us in, where the URL says nothing else (connect_timeout).
	connectTimeout = probeTimeout
)

// attended makes connections on which nobody waits for ever. lib/pq asks PostgreSQL to cancel a statement whose ctx has ended, and
// goes on reading: behind a network that swallows all, or a host that froze, it would read for good, and so would everybody after
// it, one connection of the pool after the other. So a connection that says nothing is cut soon after the end of ctx.
type watchdogConnector struct{ driver.Connector }

func (a watchdogConnector) Connect(ctx context.Context) (driver.Conn, error) {
	l := &socket{}
	stop := context.AfterFunc(ctx, l.close)
	conn, err := a.Connector.Connect(context.WithValue(ctx, socketKey{}, l))
	if !stop() {
		return nil, ctx.Err() // and what was dialled is cut
	}
	if err != nil {
		return nil, err
	}
	return &watchdogConn{pqConn: conn.(pqConn), socket: l, cache: statementCache{}}, nil
}

// Close is called when the pool closes.
func (a watchdogConnector) Close() error {
	if c, ok := a.Connector.(interface{ Close() error }); ok {
		return c.Close()
	}
	return nil
}

// line is what was dialled for a connection. It travels to the dialer in ctx, for lib/pq has no other way.
type socket struct {
	mu     sync.Mutex
	conn   net.Conn
	closed bool
}

type socketKey struct{}

// cut closes what was dialled, or will be.
func (l *socket) close() {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.closed = true; l.conn != nil {
		_ = l.conn.Close()
	}
}

// dialled notes a connection for whoever asked for it.
func registerConn(ctx context.Context, conn net.Conn) {
	l, ok := ctx.Value(socketKey{}).(*socket)
	if !ok {
		return
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.conn = conn; l.closed {
		_ = conn.Close()
	}
}

// brief is a connection that carries a request to cancel a statement: what is dialled without a line. lib/pq waits for it to end
// before it leaves a prepared statement, so it has mercy too, whatever connect_timeout says.
type cancelConn struct {
	net.Conn
	deadline time.Time
}

// SetDeadline is part of net.Conn.
func (b cancelConn) SetDeadline(t time.Time) error {
	if t.IsZero() || t.After(b.deadline) {
		t = b.deadline
	}
	return b.Conn.SetDeadline(t)
}

// dial dials by d, a request to cancel briefly.
func dial(ctx context.Context, d *net.Dialer, network, address string) (net.Conn, error) {
	if _, ok := ctx.Value(socketKey{}).(*socket); ok {
		return d.DialContext(ctx, network, address)
	}
	until := time.Now().Add(cancelGrace)
	ctx, cancel := context.WithDeadline(ctx, until)
	defer cancel()
	conn, err := d.DialContext(ctx, network, address)
	if err != nil {
		return nil, err
	}
	return cancelConn{conn, until}, conn.SetDeadline(until)
}

// dialer dials one server.
type dialer struct{ net.Dialer }

// DialContext is part of pq.DialerContext.
func (d *dialer) DialContext(ctx context.Context, network, address string) (net.Conn, error) {
	conn, err := dial(ctx, &d.Dialer, network, address)
	if err == nil {
		registerConn(ctx, conn)
	}
	return conn, err
}

// DialTimeout is part of pq.Dialer.
func (d *dialer) DialTimeout(network, address string, timeout time.Duration) (net.Conn, error) {
	return net.DialTimeout(network, address, timeout)
}

// newSingle connects to one server.
func newSingle(c pq.Config) (driver.Connector, error) {
	if c.ConnectTimeout == 0 {
		c.ConnectTimeout = connectTimeout
	}
	connector, err := pq.NewConnectorConfig(c)
	if err != nil {
		return nil, err
	}
	connector.Dialer(&dialer{})
	return connector, nil
}

// pqConn and pqRows are what lib/pq's connections and rows can do.
type (
	pqConn interface {
		driver.Conn
		driver.ConnBeginTx
		driver.ConnPrepareContext
		driver.ExecerContext
		driver.QueryerContext
		driver.Pinger
		driver.SessionResetter
		driver.Validator
		driver.NamedValueChecker
	}
	pqRows interface {
		driver.RowsNextResultSet
		driver.RowsColumnTypeScanType
		driver.RowsColumnTypeDatabaseTypeName
		driver.RowsColumnTypeLength
		driver.RowsColumnTypePrecisionScale
	}
)

type watchdogConn struct {
	pqConn
	socket    *socket
	cache     statementCache
	discarded atomic.Bool // it is not used again
}

// IsValid is part of driver.Validator. A connection on which something was cancelled is not used again, for the request may still be
// on its way and would hit the next statement; nor is one that holds a statement PostgreSQL no longer takes.
func (c *watchdogConn) IsValid() bool { return !c.discarded.Load() && c.pqConn.IsValid() }

// ResetSession is part of driver.SessionResetter.
func (c *watchdogConn) ResetSession(ctx context.Context) error {
	if c.discarded.Load() {
		return driver.ErrBadConn
	}
	return c.pqConn.ResetSession(ctx)
}

// attend cuts the connection after mercy once ctx has ended, unless leave was called before.
func (c *watchdogConn) watch(ctx context.Context) (leave func()) {
	if ctx.Done() == nil {
		return func() {}
	}
	over := make(chan struct{})
	stop := context.AfterFunc(ctx, func() {
		c.discarded.Store(true)
		select {
		case <-over:
		case <-time.After(cancelGrace):
			c.socket.close()
		}
	})
	return func() {
		stop()
		close(over)
	}
}

func (c *watchdogConn) Ping(ctx context.Context) error {
	defer c.watch(ctx)()
	return c.pqConn.Ping(ctx)
}

func (c *watchdogConn) PrepareContext(ctx context.Context, query string) (driver.Stmt, error) {
	defer c.watch(ctx)()
	return c.pqConn.PrepareContext(ctx, query)
}

func (c *watchdogConn) ExecContext(ctx context.Context, query string, args []driver.NamedValue) (driver.Result, error) {
	defer c.watch(ctx)()
	prepared, err := c.prepared(ctx, query, args)
	if err != nil {
		return nil, err
	}
	if prepared == nil {
		return c.pqConn.ExecContext(ctx, query, args)
	}
	result, err := prepared.ExecContext(ctx, args)
	return result, c.discardIfStale(err)
}

func (c *watchdogConn) QueryContext(ctx context.Context, query string, args []driver.NamedValue) (driver.Rows, error) {
	leave := c.watch(ctx)
	rows, err := c.query(ctx, query, args)
	if err != nil {
		leave()
		return nil, err
	}
	return &watchdogRows{rows.(pqRows), leave}, nil
}

func (c *watchdogConn) query(ctx context.Context, query string, args []driver.NamedValue) (driver.Rows, error) {
	prepared, err := c.prepared(ctx, query, args)
	if err != nil {
		return nil, err
	}
	if prepared == nil {
		return c.pqConn.QueryContext(ctx, query, args)
	}
	rows, err := prepared.QueryContext(ctx, args)
	return rows, c.discardIfStale(err)
}

func (c *watchdogConn) BeginTx(ctx context.Context, options driver.TxOptions) (driver.Tx, error) {
	leave := c.watch(ctx)
	tx, err := c.pqConn.BeginTx(ctx, options)
	if err != nil {
		leave()
		return nil, err
	}
	return &watchdogTx{tx, leave}, nil
}

type watchdogRows struct {
	pqRows
	stopWatch func()
}

func (r *watchdogRows) Close() error {
	defer r.stopWatch()
	return r.pqRows.Close()
}

type watchdogTx struct {
	driver.Tx
	stopWatch func()
}

func (t *watchdogTx) Commit() error {
	defer t.stopWatch()
	return t.Tx.Commit()
}

func (t *watchdogTx) Rollback() error {
	defer t.stopWatch()
	return t.Tx.Rollback()
}
