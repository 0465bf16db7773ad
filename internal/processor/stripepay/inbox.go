package stripepay

import (
	"cmp"
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"slices"
	"sync"
	"time"

	"github.com/google/uuid"
	"github.com/jmoiron/sqlx"
	"github.com/lib/pq"

	"konbit/internal/platform/pg"
)

// Inbox takes webhooks in. Those that come while a commit is under way wait for it and are committed together, at most
// batchSize at once: a flush of the database's log serves them all. One that comes alone waits for nobody.
type Inbox struct {
	DB     *sqlx.DB
	Stripe *Stripe
	Now    func() time.Time // wall clock: signatures are dated by it
	Wake   func()           // called after a commit, so that the drain need not be waited for

	mu         sync.Mutex
	pending    []*pendingStore
	committing bool // somebody commits, and calls the first that waits when done
}

// arrival is a verified webhook.
type verifiedEvent struct {
	entity uuid.UUID
	eventHeader
	payload []byte
}

// delivery is an arrival whose request waits: to be told what became of it, or to commit those that wait.
type pendingStore struct {
	verifiedEvent
	result chan storeResult // holds one
}

// verdict is what a waiting delivery is told.
type storeResult struct {
	leader bool  // nothing yet: it is its turn to commit
	err    error // of the batch it was in
}

// Take verifies a webhook and stores it, once per entity and event id, and returns when that is committed.
func (in *Inbox) Receive(ctx context.Context, entityID uuid.UUID, entitySlug string, payload []byte, signature string) error {
	h, err := in.Stripe.verify(entitySlug, payload, signature, in.Now())
	if err != nil {
		return err
	}
	if err := in.store(ctx, verifiedEvent{entityID, h, payload}); err != nil {
		return fmt.Errorf("webhook %s: %w", h.ID, err)
	}
	in.Wake()
	return nil
}

// store commits an arrival, with whoever else waits. Should they fail together it is tried alone, so that no other's fault is
// its own.
func (in *Inbox) store(ctx context.Context, a verifiedEvent) error {
	d := &pendingStore{a, make(chan storeResult, 1)}
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
	return pg.InTx(ctx, in.DB, func(tx *sqlx.Tx) error {
		_, err := storeTx(ctx, tx, []verifiedEvent{a})
		return err
	})
}

// queue makes a delivery wait, and tells whether it is to commit at once instead, for nobody does.
func (in *Inbox) enqueue(d *pendingStore) (lead bool) {
	in.mu.Lock()
	defer in.mu.Unlock()
	in.pending = append(in.pending, d)
	lead, in.committing = !in.committing, true
	return lead
}

// leave is for a delivery whose request's time is over. If it was called to commit it calls the next.
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

// call has the one that waits longest commit next. The lock is held.
func (in *Inbox) promoteNext() {
	if in.committing = len(in.pending) > 0; in.committing {
		in.pending[0].result <- storeResult{leader: true}
	}
}

// take takes those whose turn it is out of the queue.
func (in *Inbox) takeBatch() []*pendingStore {
	in.mu.Lock()
	defer in.mu.Unlock()
	n := min(len(in.pending), batchSize)
	batch := slices.Clone(in.pending[:n])
	in.pending = slices.Delete(in.pending, 0, n)
	return batch
}

// commit stores those that wait, the leader among them, in one transaction, tells the others what became of it, and calls the
// next to commit.
func (in *Inbox) commit(ctx context.Context, leader *pendingStore) (err error) {
	batch := in.takeBatch()
	err = errors.New("stripepay: the commit did not end") // should it panic
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
	// The leader's time bounds the commit, but its client's leaving takes no other along. Whoever has time left after that tries alone.
	end, bounded := ctx.Deadline()
	if !bounded {
		end = time.Now().Add(pg.RequestTimeout)
	}
	ctx, cancel := context.WithDeadline(context.WithoutCancel(ctx), end)
	defer cancel()
	arrivals := make([]verifiedEvent, len(batch))
	for i, d := range batch {
		arrivals[i] = d.verifiedEvent
	}
	err = pg.InTx(ctx, in.DB, func(tx *sqlx.Tx) error {
		_, err := storeTx(ctx, tx, arrivals)
		return err
	})
	return err
}

// storeTx stores events with one statement, and answers how many were new. It takes them in one order, so that batches of
// several processes may overlap.
func storeTx(ctx context.Context, tx *sqlx.Tx, arrivals []verifiedEvent) (fresh int64, err error) {
	const query = `/* stripepay.storeTx */
		INSERT INTO stripe_event (entity_id, id, type, api_version, created_at, payload, payload_sha256)
		SELECT u.entity_id, u.id, u.type, u.api_version, u.created_at, u.payload, u.payload_sha256
		  FROM unnest($1::uuid[], $2::text[], $3::text[], $4::text[], $5::timestamptz[], $6::bytea[], $7::bytea[])
		       AS u (entity_id, id, type, api_version, created_at, payload, payload_sha256)
		ON CONFLICT (entity_id, id) DO NOTHING`
	slices.SortFunc(arrivals, func(a, b verifiedEvent) int {
		return cmp.Or(slices.Compare(a.entity[:], b.entity[:]), cmp.Compare(a.ID, b.ID))
	})
	n := len(arrivals)
	entities, payloads, sums := make([]uuid.UUID, n), make(pq.ByteaArray, n), make(pq.ByteaArray, n)
	ids, types, versions, created := make(pq.StringArray, n), make(pq.StringArray, n), make(pq.StringArray, n), make(pq.StringArray, n)
	for i, a := range arrivals {
		sum := sha256.Sum256(a.payload)
		entities[i], payloads[i], sums[i] = a.entity, a.payload, sum[:]
		ids[i], types[i], versions[i], created[i] = a.ID, a.Type, a.APIVersion, time.Unix(a.Created, 0).UTC().Format(time.RFC3339)
	}
	done, err := tx.ExecContext(ctx, query, pg.UUIDs(entities), ids, types, versions, created, payloads, sums)
	if err != nil {
		return 0, err
	}
	return done.RowsAffected()
}
