package chaos

import (
	"testing"

	"github.com/stretchr/testify/require"

	"konbit/internal/workshop/stripefake"
	"konbit/internal/workshop/testkit"
	"konbit/internal/workshop/testkit/short"
)

// TestInvariantViolationsAreFound breaks each invariant in a valid program. Each violation must be found.
func TestInvariantViolationsAreFound(t *testing.T) {
	short.Skip(t, "PostgreSQL")
	t.Parallel()
	for sees, wrong := range map[string]func(w *simulation){
		"a payment entry without a settled gift": func(w *simulation) {
			w.Exec(`ALTER TABLE donation DISABLE TRIGGER USER; UPDATE donation SET status = 'expired' WHERE status = 'settled'`)
		},
		"a receipt without exactly one email": func(w *simulation) {
			w.Exec(`DELETE FROM river_job WHERE kind = 'receipt_letter'`)
		},
		"an event set aside": func(w *simulation) {
			w.Exec(`UPDATE stripe_event SET state = 'set_aside', reason = 'bad', done_at = NULL WHERE id = (SELECT min(id) FROM stripe_event)`)
		},
		"check_gift_without_receipt": func(w *simulation) {
			w.Exec(`ALTER TABLE receipt DISABLE TRIGGER USER; DELETE FROM receipt`)
		},
		"acknowledged events that are not stored": func(w *simulation) {
			w.begin()
			require.NoError(w.t, w.Fake.Pay(w.sessions[1].id, stripefake.GoodCard))
			for _, e := range w.Fake.Events() {
				w.Fake.MarkDelivered("tsne", w.ParseEvent(e).ID)
				w.Fake.MarkDelivered("aina", w.ParseEvent(e).ID)
			}
		},
	} {
		t.Run(sees, func(t *testing.T) {
			t.Parallel()
			require.ErrorContains(t, testkit.Try(t.Context(), sees, func(t testing.TB) {
				w := settledSimulation(t)
				checkAcknowledged(t, w.Fake, w.DB.Owner)
				wrong(w)
				checkAcknowledged(t, w.Fake, w.DB.Owner)
			}), sees)
		})
	}
}
