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
	// cancelGrace is how long PostgreSQL may take, after the end of a statement's ctx, to reply that the statement is
	// cancelled.
	cancelGrace = 500 * time.Millisecond
	// connectTimeout is how long a connection may take to open, unless the URL sets connect_timeout. A page gives up
	// earlier, at the end of its ctx. A busy machine may need seconds to start PostgreSQL's process for a connection.
	connectTimeout = 5 * time.Second
)

// watchdogConnector makes connections that never block for ever. When the ctx of a statement ends, lib/pq asks
// PostgreSQL to cancel the statement and continues to read. If the network drops all packets, or the host is frozen,
// it would read for ever, and one connection of the pool after the other would be lost. So a connection that does not
// reply is closed cancelGrace after the end of ctx.
type watchdogConnector struct{ driver.Connector }

func (a watchdogConnector) Connect(ctx context.Context) (driver.Conn, error) {
	l := &socket{}
	stop := context.AfterFunc(ctx, l.close)
	conn, err := a.Connector.Connect(context.WithValue(ctx, socketKey{}, l))
	if !stop() {
		return nil, ctx.Err() // the socket is closed
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

// socket is the network connection of a database connection. It is passed to the dialer in ctx, because lib/pq offers
// no other way.
type socket struct {
	mu     sync.Mutex
	conn   net.Conn
	closed bool
}

type socketKey struct{}

// close closes the network connection, at once or as soon as it is open.
func (l *socket) close() {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.closed = true; l.conn != nil {
		_ = l.conn.Close()
	}
}

// registerConn gives a network connection to the socket in ctx, if there is one.
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

// cancelConn is the connection of a request to cancel a statement: it is dialled without a socket in ctx. lib/pq
// waits for the request before it gives up a prepared statement, so the connection has a deadline of cancelGrace. The
// deadline does not depend on connect_timeout.
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

// dial dials with d; a request to cancel gets a deadline.
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

// pqConn and pqRows are the interfaces that lib/pq's connections and rows implement.
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
	discarded atomic.Bool // the pool must not use it again
}

// IsValid is part of driver.Validator. A connection on which a statement was cancelled is not used again, because the
// request to cancel may still be on its way and would hit the next statement. A connection with an invalid prepared
// statement is not used again either.
func (c *watchdogConn) IsValid() bool { return !c.discarded.Load() && c.pqConn.IsValid() }

// ResetSession is part of driver.SessionResetter.
func (c *watchdogConn) ResetSession(ctx context.Context) error {
	if c.discarded.Load() {
		return driver.ErrBadConn
	}
	return c.pqConn.ResetSession(ctx)
}

// watch closes the connection cancelGrace after the end of ctx, unless the returned function is called before.
func (c *watchdogConn) watch(ctx context.Context) (stopWatch func()) {
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
	stopWatch := c.watch(ctx)
	rows, err := c.query(ctx, query, args)
	if err != nil {
		stopWatch()
		return nil, err
	}
	return &watchdogRows{rows.(pqRows), stopWatch}, nil
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
	stopWatch := c.watch(ctx)
	tx, err := c.pqConn.BeginTx(ctx, options)
	if err != nil {
		stopWatch()
		return nil, err
	}
	return &watchdogTx{tx, stopWatch}, nil
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
