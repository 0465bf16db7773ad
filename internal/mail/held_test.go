package mail_test

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"konbit/internal/giving/receipt"
	"konbit/internal/platform/typeset"
	"konbit/internal/workshop/testkit/program"
)

// TestReceiptWaitsForAFont: a receipt with a name that no font can set is not sent, with one task for all that wait for the
// script, which does not hold the name. It is sent once the font is there.
func TestReceiptWaitsForAFont(t *testing.T) {
	t.Parallel()
	h := program.New(t, program.Options{})

	for _, name := range []string{"王小明", "李雷"} {
		f := program.ValidForm()
		f.Contact.FirstName, f.Contact.LastName = name, ""
		_, err := h.Settle(program.ChargeOf(h.StartedGift(f), time.Now()))
		require.NoError(t, err)
	}
	waiting, err := receipt.Find(t.Context(), h.DB.Server, "ana@example.org", nil, 10)
	require.NoError(t, err)
	require.Len(t, waiting, 2)

	without := h.Receipts
	without.View = h.View.WithFonts(typeset.In())
	for range 3 {
		for _, r := range waiting {
			err := without.Mail(t.Context(), r.ID)
			var missing *typeset.MissingError
			require.ErrorAs(t, err, &missing)
			require.NotContains(t, err.Error(), r.Facts.FirstName)
		}
	}
	require.Empty(t, h.Mail.Messages())
	require.Zero(t, h.Count(`SELECT count(*) FROM letter`))
	require.Equal(t, []string{`paper_needs_font Han {"package": "fonts-noto-cjk"} 1`}, h.Lines(
		`SELECT format('%s %s %s %s', kind, subject, detail, times) FROM finance_task`))

	for _, r := range waiting {
		require.NoError(t, h.Receipts.Mail(t.Context(), r.ID))
	}
	require.Len(t, waitForMessages(t, h, 2), 2)
}
