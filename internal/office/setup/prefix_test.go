package setup_test

import (
	"strings"
	"testing"

	"github.com/google/uuid"
	"github.com/stretchr/testify/require"

	"konbit/internal/office/setup"
	"konbit/internal/workshop/testkit/program"
)

// TestPrefixOfAnotherEntity: an entity gave its prefix up after it had issued receipts. No other entity takes it, and none
// takes the prefix of an entity that the file leaves out.
func TestPrefixOfAnotherEntity(t *testing.T) {
	t.Parallel()
	h := program.New(t, program.Options{})
	form := program.ValidForm()
	h.SettledGift(form)
	require.Equal(t, 1, h.Count(`SELECT count(*) FROM receipt`))
	file := func(entity, prefix string) string {
		text := strings.NewReplacer("slug: tsne", "slug: "+entity, "entity: tsne", "entity: "+entity, "slug: csio\n", "slug: "+entity+"-page\n").Replace(sound)
		if prefix != "" {
			text = strings.Replace(text, "    timezone:", "    receipt_prefix: "+prefix+"\n    timezone:", 1)
		}
		return text
	}
	apply := func(entity, prefix string) error {
		_, err := setup.Apply(t.Context(), h.DB.Owner, read(t, file(entity, prefix)), noon, uuid.New, false)
		return err
	}
	var problems setup.Problems
	require.ErrorAs(t, apply("twin", "TSNE"), &problems)
	require.EqualError(t, problems, "f:6:21: entity twin: receipts of entity tsne, which is not in the file, begin with TSNE: write another receipt_prefix")

	require.NoError(t, apply("tsne", "GX"))
	require.ErrorAs(t, apply("twin", "TSNE"), &problems)
	require.EqualError(t, problems, "f:6:21: entity twin: entity tsne has issued receipts that begin with TSNE, and two could have the same number: "+
		"write a receipt_prefix that no other entity has used")
	require.NoError(t, apply("twin", "GY"))
	require.ErrorAs(t, apply("twin", "TSNE"), &problems, "nor by a change")
	require.ErrorAs(t, apply("twin", "GX"), &problems)
	require.NoError(t, apply("tsne", ""), "its own former prefix")
	require.NoError(t, apply("twin", "GX"), "no receipt has it")
}
