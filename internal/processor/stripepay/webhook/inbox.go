package webhook

import (
	"cmp"
	"context"
	"crypto/sha256"
	"errors"
	"slices"
	"sync"
	"time"

	"github.com/google/uuid"
	"github.com/jmoiron/sqlx"

	"konbit/internal/platform/pg"
)

// batchSize is the most webhooks that are committed together.
const batchSize = 100

// Inbox stores webhooks. Webhooks that arrive during a commit are committed together after it, at most batchSize at
// once, so that one flush of the database's log serves them all (group commit). A webhook that arrives alone is
// committed at once.
type Inbox struct {
	DB   *sqlx.DB
	Keys Keys
	Now  func() time.Time // wall clock: Stripe dates signatures by it
	Wake func()           // called after a commit, so that the event worker starts at once

	mu         sync.Mutex
	pending    []*pendingStore
	committing bool // a request commits; when it is done, it promotes the first pending one
}

// Event is an event whose webhook was verified, or that Stripe listed.
type Event struct {
	EntityID uuid.UUID
	Header
	Payload []byte
}

// row is an event as the table stores it.
type row struct {
	Event
	stored []byte   // the payload without what names a person
	sum    [32]byte // of what Stripe sent
}

func newRow(e Event) row {
	return row{e, withoutPerson(e.Payload), sha256.Sum256(e.Payload)}
}

// pendingStore is an event whose request waits, either for the result of its batch or to commit the next batch.
type pendingStore struct {
	row
	result chan storeResult // buffers one
}

// storeResult is what a waiting request receives.
type storeResult struct {
	leader bool  // there is no result: the request must commit the next batch
	err    error // of the batch that the event was in
}

// Receive verifies a webhook and stores its event once per entity and event id. It returns after the commit.
func (in *Inbox) Receive(ctx context.Context, entityID uuid.UUID, entitySlug string, payload []byte, signature string) error {
	w, err := in.Verify(entityID, entitySlug, payload, signature)
	if err != nil {
		return err
	}
	return in.Store(ctx, w)
}

// store commits an event together with the other pending ones. If their commit fails, the event is stored alone, so
// that no other event can make it fail.
func (in *Inbox) store(ctx context.Context, a Event) error {
	d := &pendingStore{newRow(a), make(chan storeResult, 1)} // here, so that nobody waits for it during a commit
	result := storeResult{leader: in.enqueue(d)}
	if !result.leader {
		select {
		case result = <-d.result:
		case <-ctx.Done():
			in.abandon(d)
			return ctx.Err()
		}
	}
	if result.leader {
		result.err = in.commit(ctx, d)
	}
	if result.err == nil {
		return nil
	}
	return in.storeRows(ctx, []row{d.row})
}

// storeRows is StoreTx in a transaction of its own.
func (in *Inbox) storeRows(ctx context.Context, arrivals []row) error {
	_, err := pg.Repeatable[int](ctx, in.DB, storeEvents, storeArgs(arrivals)...)
	return err
}

// enqueue adds an event to the pending ones. It returns true if no request is committing, so that this one must.
func (in *Inbox) enqueue(d *pendingStore) (lead bool) {
	in.mu.Lock()
	defer in.mu.Unlock()
	in.pending = append(in.pending, d)
	lead, in.committing = !in.committing, true
	return lead
}

// abandon removes an event whose request has ended. If it was to commit the next batch, the next pending request does.
func (in *Inbox) abandon(d *pendingStore) {
	in.mu.Lock()
	defer in.mu.Unlock()
	in.pending = slices.DeleteFunc(in.pending, func(other *pendingStore) bool { return other == d })
	select {
	case result := <-d.result:
		if result.leader {
			in.promoteNext()
		}
	default:
	}
}

// promoteNext makes the request that has waited longest commit the next batch. The caller holds the lock.
func (in *Inbox) promoteNext() {
	if in.committing = len(in.pending) > 0; in.committing {
		in.pending[0].result <- storeResult{leader: true}
	}
}

// takeBatch removes the next batch from the pending events and returns it.
func (in *Inbox) takeBatch() []*pendingStore {
	in.mu.Lock()
	defer in.mu.Unlock()
	n := min(len(in.pending), batchSize)
	batch := slices.Clone(in.pending[:n])
	in.pending = slices.Delete(in.pending, 0, n)
	return batch
}

// commit stores the next batch, which contains the leader's event, in one transaction, sends the result to the other
// requests, and promotes the next one.
func (in *Inbox) commit(ctx context.Context, leader *pendingStore) (err error) {
	batch := in.takeBatch()
	err = errors.New("webhook: the commit did not end") // if it panics
	defer func() {
		for _, d := range batch {
			if d != leader {
				d.result <- storeResult{err: err}
			}
		}
		in.mu.Lock()
		defer in.mu.Unlock()
		in.promoteNext()
	}()
	// The commit ends at the leader's deadline, but it does not end when the leader's client disconnects. A request
	// with time left after a failed commit stores its event alone.
	end, bounded := ctx.Deadline()
	if !bounded {
		end = time.Now().Add(pg.RequestTimeout())
	}
	ctx, cancel := context.WithDeadline(context.WithoutCancel(ctx), end)
	defer cancel()
	arrivals := make([]row, len(batch))
	for i, d := range batch {
		arrivals[i] = d.row
	}
	err = in.storeRows(ctx, arrivals)
	return err
}

// StoreTx stores events with one statement and returns how many were new. It stores payloads without what names a
// person, and the hash of what Stripe sent. It sorts them, so that batches of several processes cannot deadlock.
func StoreTx(ctx context.Context, tx *sqlx.Tx, arrivals []Event) (fresh int64, err error) {
	rows := make([]row, len(arrivals))
	for i, a := range arrivals {
		rows[i] = newRow(a)
	}
	done, err := tx.ExecContext(ctx, storeEvents, storeArgs(rows)...)
	if err != nil {
		return 0, err
	}
	return done.RowsAffected()
}

// storeEvents stores events, each once. $1 holds all payloads and $2 all hashes, one after the other: as elements of arrays
// they would be converted to text and back.
const storeEvents = `/* webhook.storeEvents */
	INSERT INTO stripe_event (entity_id, id, type, api_version, created_at, payload, payload_sha256)
	SELECT u.entity_id, u.id, u.type, u.api_version, u.created_at, substring($1::bytea FROM u.start FOR u.size), substring($2::bytea FROM 32 * u.n::integer - 31 FOR 32)
	  FROM unnest($3::uuid[], $4::text[], $5::text[], $6::text[], $7::timestamptz[], $8::integer[], $9::integer[]) WITH ORDINALITY
	       AS u (entity_id, id, type, api_version, created_at, start, size, n)
	ON CONFLICT (entity_id, id) DO NOTHING`

// storeArgs returns the arguments of storeEvents. It sorts the events.
func storeArgs(arrivals []row) []any {
	slices.SortFunc(arrivals, func(a, b row) int {
		return cmp.Or(slices.Compare(a.EntityID[:], b.EntityID[:]), cmp.Compare(a.ID, b.ID))
	})
	payloads, sums := []byte{}, []byte{}
	rows := pg.NewColumns(7)
	for _, a := range arrivals {
		var size *int // nil: no payload is stored
		if a.stored != nil {
			n := len(a.stored)
			size = &n
		}
		rows.Add(a.EntityID, a.ID, a.Type, a.APIVersion, time.Unix(a.Created, 0), len(payloads)+1, size)
		payloads, sums = append(payloads, a.stored...), append(sums, a.sum[:]...)
	}
	return rows.Args(payloads, sums)
}
