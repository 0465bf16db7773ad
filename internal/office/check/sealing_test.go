package check_test

import (
	"fmt"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"konbit/internal/books/ledger"
	"konbit/internal/office/check"
	"konbit/internal/workshop/testkit"
	"konbit/internal/workshop/testkit/program"
)

// TestSealWatch: entries that wait while nothing is sealed open one task for their entity, also if a seal ahead of them
// was invented. The task closes when sealing goes on.
func TestSealWatch(t *testing.T) {
	t.Parallel()
	h := program.New(t, program.Options{})
	watch := check.SealWatch{DB: h.DB.Server, NewID: program.NewID, Now: time.Now}
	tasks := func() []string {
		t.Helper()
		_, err := watch.Run(t.Context())
		require.NoError(t, err)
		return h.Lines(`SELECT e.slug || ' ' || t.kind || ' ' || (t.detail ->> 'entries') || coalesce(' closed' || left(t.closed_at::text, 0), '')
			FROM finance_task t JOIN legal_entity e ON e.id = t.entity_id`)
	}
	h.SettledGift(program.ValidForm())
	sealOne := func() {
		t.Helper()
		testkit.Eventually(t, time.Minute, func() error { // Seal waits for older transactions of all databases of the cluster
			sealed, err := ledger.Seal(t.Context(), h.DB.Server)
			if err == nil && sealed != 1 {
				err = fmt.Errorf("%d entries sealed", sealed)
			}
			return err
		})
	}
	sealOne()
	h.SettledGift(program.ValidForm())
	require.Empty(t, tasks(), "the entry is new")

	h.Exec(`ALTER TABLE journal_entry DISABLE TRIGGER USER; ALTER TABLE ledger_seal DISABLE TRIGGER USER`)
	h.Exec(`UPDATE journal_entry SET recorded_at = recorded_at - interval '6 minutes'`)
	require.Empty(t, tasks(), "the entry before it was sealed just now")
	require.NoError(t, check.SealingStopped(t.Context(), h.DB.Server))

	h.Exec(`UPDATE ledger_seal SET sealed_at = sealed_at - interval '6 minutes'`)
	require.Equal(t, []string{"tsne entries_not_sealed 1"}, tasks())
	require.Equal(t, []string{"tsne entries_not_sealed 1"}, tasks(), "one task")
	require.ErrorContains(t, check.SealingStopped(t.Context(), h.DB.Server), "1 entries of entity")

	h.Exec(`INSERT INTO ledger_seal (entity_id, n, entry_id, serial, hash, sealed_at)
		SELECT entity_id, n + 1, gen_random_uuid(), 9223372036854775807, hash, sealed_at FROM ledger_seal`)
	sealed, err := ledger.Seal(t.Context(), h.DB.Server)
	require.NoError(t, err)
	require.Zero(t, sealed, "nothing is above the invented serial")
	require.Error(t, check.SealingStopped(t.Context(), h.DB.Server))
	require.Equal(t, []string{"tsne entries_not_sealed 1"}, tasks())

	h.Exec(`DELETE FROM ledger_seal WHERE serial = 9223372036854775807`)
	sealOne()
	require.Equal(t, []string{"tsne entries_not_sealed 1 closed"}, tasks())
	require.NoError(t, check.SealingStopped(t.Context(), h.DB.Server))
}
