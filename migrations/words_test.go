package migrations_test

import (
	"fmt"
	"os"
	"regexp"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"konbit/internal/workshop/testkit"
	"konbit/internal/workshop/testkit/program"
	"konbit/migrations"
)

// TestDonorsOfBeforeGetTheirWords: migration 00113 writes the words of the donors that it finds, each once, also if it is
// interrupted and runs again. A donor who is erased meanwhile gets none.
func TestDonorsOfBeforeGetTheirWords(t *testing.T) {
	h := program.New(t, program.Options{})
	h.SettledGift(program.ValidForm())
	h.DB.Server.Close()
	require.NoError(t, migrations.To(t.Context(), h.DB.OwnerURL, 112))
	require.Zero(t, h.Count(`SELECT count(*) FROM pg_class WHERE relname ~ '^donor_word'`))
	h.Exec(`INSERT INTO donor (id, entity_id, email, first_name, last_name, language, created_at)
		SELECT gen_random_uuid(), e.id, n || '@donor.example', 'Zoë', 'No. ' || n, 'en', now() FROM legal_entity e, generate_series(1, 2500) n WHERE e.slug = 'tsne'`)
	require.Equal(t, 10, h.Count(`SELECT count(*) FROM legal_entity e, find_donors(e.id, 'zoe no', 10)`), "the search of before")
	require.NoError(t, migrations.Up(t.Context(), h.DB.OwnerURL, testkit.ServerRole))
	require.Equal(t, 7502, h.Count(`SELECT count(*) FROM donor_word`))
	require.Equal(t, 2500, h.Count(`SELECT count(*) FROM donor_word WHERE word = 'zoe'`))
	require.Equal(t, 2, h.Count(`SELECT count(*) FROM donor_word w JOIN donor d ON d.id = w.donor_id WHERE d.email = 'ana@example.org'`))

	text, err := os.ReadFile("00113_donor_words.sql")
	require.NoError(t, err)
	fill := regexp.MustCompile(`(?s)DO \$\$.*?\$\$;`).FindString(string(text))
	require.NotEmpty(t, fill)
	h.Exec(fill)
	require.Equal(t, 7502, h.Count(`SELECT count(*) FROM donor_word`), "none twice")

	h.Exec(`DELETE FROM donor_word`)
	erasing := h.DB.Owner.MustBegin()
	defer func() { _ = erasing.Rollback() }()
	erasing.MustExec(`UPDATE donor SET email = 'forgotten-' || id || '@invalid', first_name = '', last_name = '' WHERE email = '1250@donor.example'`)
	filled := make(chan error, 1)
	go func() {
		_, err := h.DB.Owner.Exec(fill)
		filled <- err
	}()
	testkit.Eventually(t, time.Minute, func() error {
		if h.Count(`SELECT count(*) FROM pg_locks l JOIN pg_stat_activity a USING (pid) WHERE a.datname = current_database() AND NOT l.granted`) == 0 {
			return fmt.Errorf("the migration does not wait yet; it ended: %t", len(filled) > 0)
		}
		return nil
	})
	require.NoError(t, erasing.Commit())
	require.NoError(t, <-filled)
	require.Equal(t, 7499, h.Count(`SELECT count(*) FROM donor_word`))
	require.Zero(t, h.Count(`SELECT count(*) FROM donor_word WHERE word = '1250'`), "who is erased meanwhile has no words")
}
