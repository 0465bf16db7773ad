package mail_test

import (
	"sync"
	"testing"

	"github.com/google/uuid"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"konbit/internal/workshop/testkit/program"
)

// TestEmailsStoredAtOnce: workers and staff that render the same email at the same time store one, and none of them
// gets an error: neither for the subject nor for the Message-ID.
func TestEmailsStoredAtOnce(t *testing.T) {
	t.Parallel()
	h := program.New(t, program.Options{})
	for range 10 {
		h.SettledGift(program.ValidForm())
	}
	var ids []uuid.UUID
	require.NoError(t, h.DB.Owner.Select(&ids, `SELECT id FROM receipt`))
	for _, id := range ids {
		var at sync.WaitGroup
		for range 8 {
			at.Go(func() { assert.NoError(t, h.Receipts.Mail(t.Context(), id)) })
		}
		at.Wait()
	}
	require.Equal(t, len(ids), h.Count(`SELECT count(*) FROM letter WHERE kind = 'receipt'`))
}
