package guard_test

import (
	"context"
	"crypto/sha256"
	"errors"
	"net/netip"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/jmoiron/sqlx"

	"konbit/internal/platform/guard"
	"konbit/internal/platform/keyring"
	"konbit/internal/platform/pg"
	"konbit/internal/workshop/testkit"
)

// BenchmarkJudge measures what the guard costs a submission: all come from one address to one page, so they wait for
// the same rows, and the limits are wide enough for all to pass.
func BenchmarkJudge(b *testing.B) {
	limits, err := guard.ParseLimits("address=1000000/10m network=1000000/10m email=5/1h page=1000000/10m min_fill_time=off")
	if err != nil {
		b.Fatal(err)
	}
	db := testkit.DB(b).Server
	g := guard.New(db, keyring.New([]byte("secret")), limits, time.Now)
	run := func(name string, do func() error) {
		b.Run(name, func(b *testing.B) {
			b.SetParallelism(8)
			b.RunParallel(func(pb *testing.PB) {
				for pb.Next() {
					if err := do(); err != nil {
						b.Error(err)
					}
				}
			})
		})
	}
	run("judge", func() error {
		id := uuid.New()
		v, _, err := g.Judge(context.Background(), guard.Attempt{
			Page: "csio", Address: netip.MustParseAddr("203.0.113.1"), Email: id.String() + "@example.org", Form: id, InputHash: sha256.Sum256(id[:]),
		})
		if err == nil && v != guard.Passed {
			err = errors.New("refused")
		}
		return err
	})
	run("an empty transaction beside it", func() error {
		return pg.InTx(context.Background(), db, func(tx *sqlx.Tx) error {
			_, err := tx.Exec(`SELECT $1::int`, 1)
			return err
		})
	})
}
