package chaos

import (
	"errors"
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"github.com/jmoiron/sqlx"
	"github.com/stretchr/testify/require"

	"konbit/internal/workshop/e2e"
	"konbit/internal/workshop/localpg"
	"konbit/internal/workshop/stripefake"
	"konbit/internal/workshop/testkit"
)

func init() {
	register(Row{
		Name: "disk", No: "18", Short: 120, Long: 746, Prove: Disk,
		Promise: "webhooks acknowledged while the database's disk of 170 MB fills up, is full, and is freed: all of them are stored; 503 " +
			"within 2 s while the disk is full, normal service within 60 s after there is space, without help",
	})
}

const (
	diskSize     = 170 << 20
	refusals     = 40               // refused webhooks to wait for while the disk is full
	recoveryTime = 60 * time.Second // after there is space again
	tellers      = 4
)

// Disk fills the disk of a separate PostgreSQL: first so far that rows cannot be written, then so far that its log
// cannot, at which PostgreSQL ends and recovers. A supervisor restarts it as systemd does.
func Disk(t testing.TB, run Run) {
	disk := smallDisk(t)
	p := startSeparatePG(t, localpg.Options{DataDir: filepath.Join(disk, "data"), Durable: true, Settings: map[string]string{
		"max_wal_size": "48MB", "min_wal_size": "32MB", "max_connections": "100",
	}})
	p.supervise(t)
	s := e2e.Start(t, e2e.Options{DB: p.Database, Stripe: stripefake.Options{Seed: run.Seed | 1}})
	give(t, s, 1, patient)
	d := &diskRun{t: t, s: s, run: run, bodies: s.Stripe().Bodies("tsne")}
	d.sendWhile(func() bool { return d.count() < run.Count/3 })

	junk := filepath.Join(disk, "junk")
	fill(t, junk)
	d.full.Store(true)
	d.sendWhile(func() bool { fill(t, junk); return d.refused.Load() < refusals })
	p.switchLog()
	d.sendWhile(func() bool { fill(t, junk); return d.refused.Load() < 2*refusals })
	d.full.Store(false)
	require.NoError(t, os.Remove(junk))
	freed := time.Now()
	testkit.Eventually(t, recoveryTime, func() error { return post(s.URL(), withNewID(d.bodies[0])) })
	run.Record("well again", ms(time.Since(freed)))

	d.sendWhile(func() bool { return d.count() < run.Count })
	d.checkStored(p.Owner)
	give(t, s, 2, patient)
	s.RequireGifts(2)
	run.Record("refused", fmt.Sprint(d.refused.Load()))
	run.Record("slowest refusal", ms(d.slowest.quantile(100)))
}

// diskRun sends webhooks and records which were acknowledged.
type diskRun struct {
	t       testing.TB
	s       *e2e.Stack
	run     Run
	bodies  [][]byte
	full    atomic.Bool
	refused atomic.Int64
	slowest latencies

	mu           sync.Mutex
	acknowledged []string
}

func (d *diskRun) count() int {
	d.mu.Lock()
	defer d.mu.Unlock()
	return len(d.acknowledged)
}

// sendWhile sends webhooks from several senders until more returns false, for at most two minutes.
func (d *diskRun) sendWhile(more func() bool) {
	deadline := time.Now().Add(2 * time.Minute)
	var all sync.WaitGroup
	for sender := range tellers {
		all.Go(func() {
			for n := sender; more() && !d.t.Failed(); n += tellers {
				if time.Now().After(deadline) {
					d.t.Errorf("not within two minutes: %d acknowledged, %d refused", d.count(), d.refused.Load())
				}
				d.send(n)
				time.Sleep(20 * time.Millisecond)
			}
		})
	}
	all.Wait()
	if d.t.Failed() {
		d.t.FailNow()
	}
}

// send sends a webhook and records it if it was acknowledged. It may be refused only while the disk is full,
// and must then be refused quickly.
func (d *diskRun) send(n int) {
	body := withNewID(d.bodies[n%len(d.bodies)])
	began := time.Now()
	response, err := postEvent(d.s.URL(), body)
	if err != nil {
		d.t.Error(err)
		return
	}
	defer response.Body.Close()
	took := time.Since(began)
	switch {
	case response.StatusCode == http.StatusOK:
		d.mu.Lock()
		d.acknowledged = append(d.acknowledged, idOf(body))
		d.mu.Unlock()
		d.run.Progress(1)
	case response.StatusCode == http.StatusServiceUnavailable && d.full.Load():
		d.slowest.add(took)
		if d.refused.Add(1); took > 2*time.Second+timingTolerance(d.run.Count >= 746) {
			d.t.Errorf("refused after %s", took)
		}
	default:
		d.t.Errorf("answered %s, the disk full: %t", response.Status, d.full.Load())
	}
}

// checkStored checks that every acknowledged webhook is stored.
func (d *diskRun) checkStored(db *sqlx.DB) {
	d.t.Helper()
	var stored []string
	require.NoError(d.t, db.Select(&stored, `SELECT id FROM stripe_event`))
	require.Subset(d.t, stored, d.acknowledged)
	d.run.Record("acknowledged and present", fmt.Sprint(len(d.acknowledged)))
}

// smallDisk mounts a memory file system of that size until the row ends.
func smallDisk(t testing.TB) string {
	t.Helper()
	dir, err := os.MkdirTemp("/tmp", "konbit-disk-")
	require.NoError(t, err)
	require.NoError(t, os.Chmod(dir, 0o755))
	t.Cleanup(func() { _ = os.Remove(dir) })
	if err := syscall.Mount("tmpfs", dir, "tmpfs", 0, fmt.Sprintf("size=%d,mode=0755", diskSize)); err != nil {
		t.Fatalf("a small disk needs the right to mount one (%v); mend it by running as root", err)
	}
	t.Cleanup(func() { _ = syscall.Unmount(dir, syscall.MNT_DETACH) })
	return dir
}

// fill writes to the file until the disk is full.
func fill(t testing.TB, file string) {
	junk, err := os.OpenFile(file, os.O_APPEND|os.O_CREATE|os.O_WRONLY, 0o600)
	if err != nil {
		t.Errorf("fill: %v", err)
		return
	}
	defer junk.Close()
	for size := 1 << 20; size > 0; {
		if _, err := junk.Write(make([]byte, size)); errors.Is(err, syscall.ENOSPC) {
			size /= 16
		} else if err != nil {
			t.Errorf("fill: %v", err)
			return
		}
	}
}
