package settlement_test

import (
	"testing"

	"github.com/google/uuid"
	"github.com/jmoiron/sqlx"
	"github.com/lib/pq"
	"github.com/stretchr/testify/require"

	"konbit/internal/platform/pg"
	"konbit/internal/workshop/testkit/program"
)

// TestThePreviousReleaseReadsAndWritesChargeShares runs the statements by which the previous release writes and reads
// shares and changes of charges, with the rights of the server's role. They use the views of migration 00048. Drop this
// test with the views.
func TestThePreviousReleaseReadsAndWritesChargeShares(t *testing.T) {
	h := program.New(t, program.Options{})
	d := h.SettledGift(program.ValidForm()) // its payment is stored, its fee is not booked
	catalog := h.CurrentCatalog()
	general := catalog.Open(d.OrganisationID)[0]
	operations, err := catalog.Operations(d.EntityID)
	require.NoError(t, err)
	require.NoError(t, pg.InTx(t.Context(), h.DB.Server, func(tx *sqlx.Tx) error {
		_, err := tx.Exec(`INSERT INTO charge_share (entity_id, charge_id, fund_id, gift, fee, sponsor)
			SELECT $1, s.charge_id, s.fund_id, s.gift, s.fee, s.sponsor
			  FROM unnest($2::text[], $3::uuid[], $4::bigint[], $5::bigint[], $6::bigint[]) AS s (charge_id, fund_id, gift, fee, sponsor)`,
			d.EntityID, pq.Array([]string{*d.ChargeID, *d.ChargeID}), pg.UUIDs([]uuid.UUID{general.ID, operations.ID}),
			pq.Array([]int64{2000, 0}), pq.Array([]int64{88, 0}), pq.Array([]int64{140, -140}))
		if err != nil {
			return err
		}
		_, err = tx.Exec(`INSERT INTO charge_change (entity_id, object_id, kind, charge_id, amount, at) VALUES ($1, 're_1', 'refund', $2, 500, now())`, d.EntityID, *d.ChargeID)
		if err != nil {
			return err
		}
		_, err = tx.Exec(`INSERT INTO charge_change_share (entity_id, object_id, kind, fund_id, amount, fee, sponsor, borne)
			SELECT $1, 're_1', 'refund', p.fund_id, p.amount, p.fee, p.sponsor, p.borne
			  FROM unnest($2::uuid[], $3::bigint[], $4::bigint[], $5::bigint[], $6::bigint[]) AS p (fund_id, amount, fee, sponsor, borne)`,
			d.EntityID, pg.UUIDs([]uuid.UUID{general.ID}), pq.Array([]int64{500}), pq.Array([]int64{22}), pq.Array([]int64{35}), pq.Array([]int64{7}))
		return err
	}))
	require.Equal(t, []string{"2000 88 140", "0 0 -140"}, h.Lines(`SELECT format('%s %s %s', s.gift, s.fee, s.sponsor_fee)
		FROM payment_share s JOIN payment p ON p.id = s.payment_id WHERE p.donation_id = $1 ORDER BY s.gift DESC`, d.ID))
	require.Equal(t, []string{"re_1 500"}, h.Lines(`SELECT c.object_id || ' ' || c.amount FROM payment_change c JOIN payment p ON p.id = c.payment_id WHERE p.donation_id = $1`, d.ID))
	require.Equal(t, []string{"500 22 35 7"}, h.Lines(`SELECT format('%s %s %s %s', amount, fee, sponsor_fee, absorbed) FROM payment_change_share`))

	var remaining []int64
	require.NoError(t, h.DB.Server.Select(&remaining, `SELECT c.gift - coalesce(g.gone, 0) FROM charge_share c
		LEFT JOIN (SELECT s.fund_id, sum(s.amount)::bigint AS gone FROM charge_change h
		             JOIN charge_change_share s ON s.object_id = h.object_id AND s.kind = h.kind AND s.entity_id = h.entity_id
		            WHERE h.charge_id = $1 AND h.entity_id = $2 GROUP BY s.fund_id) g ON g.fund_id = c.fund_id
		WHERE c.charge_id = $1 AND c.entity_id = $2 AND c.gift > 0`, *d.ChargeID, d.EntityID))
	require.Equal(t, []int64{1500}, remaining)
}
