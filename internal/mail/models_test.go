package mail_test

import (
	"fmt"
	"testing"

	"github.com/google/uuid"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"konbit/internal/giving/receipt"
	"konbit/internal/mail/difference"
	"konbit/internal/platform/phrase"
	"konbit/internal/workshop/testkit/program"
)

// TestReceiptsAreStoredAsDifferences: in every language and whatever the name, one payment of a plan among them. Another
// process restores the same bytes from the model that the first one stored, and makes no other model.
func TestReceiptsAreStoredAsDifferences(t *testing.T) {
	t.Parallel()
	h := program.New(t, program.Options{})
	donors := []struct {
		language    phrase.Language
		first, last string
		frequency   string
	}{
		{"en", "Maria", "Diaz", "once"}, {"en", "Zoë", "Łęcki", "once"}, {"es", "José", "Peña", "once"}, {"pt", "João", "Conceição", "once"},
		{"ht", "Wòch", "Jan", "once"}, {"en", "小明", "王", "once"}, {"es", "محمد", "الأحمد", "once"}, {"en", "Ana", "Diaz", "monthly"},
	}
	var ids []uuid.UUID
	for i, d := range donors {
		f := program.ValidForm()
		f.Language, f.Frequency = d.language, d.frequency
		f.Contact.FirstName, f.Contact.LastName, f.Contact.Email = d.first, d.last, fmt.Sprintf("donor%d@example.org", i)
		gift := h.StartedGift(f)
		h.Pay(gift)
		h.DeliverNew()
		h.DrainAll()
		h.RunPlanJobs()
		latest, err := receipt.Latest(t.Context(), h.DB.Server, []uuid.UUID{gift.ID})
		require.NoError(t, err)
		ids = append(ids, latest[gift.ID].ID)
	}
	send := func() (sent [][]byte) {
		before := len(h.Mail.Messages())
		for _, id := range ids {
			require.NoError(t, h.Receipts.Mail(t.Context(), id))
		}
		for _, m := range h.Mail.Messages()[before:] {
			sent = append(sent, m.Raw)
		}
		return sent
	}
	first := send()
	require.Len(t, first, len(donors))
	models := h.Count(`SELECT count(*) FROM email_model`)
	assert.LessOrEqual(t, models, 5, "four languages, and one of plans")
	require.Zero(t, h.Count(`SELECT count(*) FROM letter WHERE message <> '' OR difference IS NULL`))
	assert.Equal(t, 5, h.Count(`SELECT count(*) FROM letter WHERE octet_length(difference) < 1500`), "names in the letters of their language, of %v",
		h.Lines(`SELECT octet_length(difference)::text FROM letter ORDER BY 1`))
	assert.Zero(t, h.Count(`SELECT count(*) FROM letter WHERE octet_length(difference) > 8000`))
	assert.Zero(t, h.Count(`SELECT count(*) FROM letter_delivery WHERE tries <> 1`), "the attempt was counted")

	resetDeliveries(h)
	h.Receipts.Models = difference.NewModels(h.DB.Server)
	again := send()
	require.Len(t, again, len(donors))
	for i := range first {
		require.Equal(t, string(first[i]), string(again[i]), "%v", donors[i])
	}
	h.Exec(`ALTER TABLE letter DISABLE TRIGGER USER`)
	h.Exec(`ALTER TABLE letter_delivery DISABLE TRIGGER USER`)
	h.Exec(`DELETE FROM letter_delivery`)
	h.Exec(`DELETE FROM letter`)
	h.Receipts.Models = difference.NewModels(h.DB.Server)
	send()
	assert.Equal(t, models, h.Count(`SELECT count(*) FROM email_model`), "each process makes the same models")
}
