package refund_test

import (
	"context"
	"crypto/sha256"
	"testing"

	"github.com/google/uuid"
	"github.com/jmoiron/sqlx"
	"github.com/stretchr/testify/require"

	"konbit/internal/office/refund"
	"konbit/internal/workshop/testkit/program"
)

// TestVerifyOrders: the answer of the passkey that signed an order of one person is stored with it and checked again, and what the
// server's role made up is found. An order by a code is counted apart.
func TestVerifyOrders(t *testing.T) {
	d := newDesk(t, program.Options{})
	by := d.order(map[string]int64{"general": 100})
	d.Exec(`UPDATE legal_entity SET money_factor = 'passkey'`)
	r := d.request(map[string]int64{"general": 200})
	r.Note = "said on the phone"
	signed := sha256.Sum256([]byte(d.preview(r).Body))
	d.staff.SignByPasskey(t, signed[:]) // its answer is made up
	_, err := d.try(d.staff, r)
	require.NoError(t, err)
	verify := func(check func(ctx context.Context, q sqlx.QueryerContext, person uuid.UUID, assertion string, about [32]byte) error) refund.VerifyReport {
		report, err := refund.Verify(t.Context(), d.DB.Owner, check)
		require.NoError(t, err)
		return report
	}
	asked := 0
	require.Equal(t, refund.VerifyReport{Orders: 2, ByPasskey: 1, ByCode: 1, Findings: []string{}},
		verify(func(_ context.Context, _ sqlx.QueryerContext, person uuid.UUID, assertion string, about [32]byte) error {
			asked++
			require.Equal(t, d.staff.ID, person)
			require.Equal(t, signed, about)
			require.NotEmpty(t, assertion)
			return nil
		}))
	require.Equal(t, 1, asked)
	report := verify(d.Server.Staff.VerifySigned)
	require.Len(t, report.Findings, 1)
	require.Contains(t, report.Findings[0], "no passkey of who ordered it signed it")

	accept := func(context.Context, sqlx.QueryerContext, uuid.UUID, string, [32]byte) error { return nil }
	d.Exec(`ALTER TABLE refund_order DISABLE TRIGGER USER`)
	d.Exec(`UPDATE refund_order SET note = 'another' WHERE factor = 'passkey'`)
	require.Contains(t, verify(accept).Findings[0], "it is not what was signed")
	d.Exec(`UPDATE refund_order SET factor = NULL WHERE id = $1`, by.ID)
	require.Contains(t, verify(accept).Findings[0], "nothing says by which factor it was ordered")
}
