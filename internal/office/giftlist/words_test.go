package giftlist_test

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"github.com/google/uuid"
	"github.com/stretchr/testify/require"

	"konbit/internal/workshop/testkit"
	"konbit/internal/workshop/testkit/program"
)

// wordsDiffer selects what donor_word has too much or too little, or twice.
const wordsDiffer = `
	(SELECT DISTINCT d.id, d.entity_id, w FROM donor d CROSS JOIN LATERAL unnest(words_of_name(d.first_name, d.last_name, d.organisation_name)) w EXCEPT ALL SELECT donor_id, entity_id, word FROM donor_word)
	UNION ALL
	(SELECT donor_id, entity_id, word FROM donor_word EXCEPT ALL SELECT DISTINCT d.id, d.entity_id, w FROM donor d CROSS JOIN LATERAL unnest(words_of_name(d.first_name, d.last_name, d.organisation_name)) w)`

// emailWordsDiffer is wordsDiffer for donor_email_word.
const emailWordsDiffer = `
	(SELECT DISTINCT d.id, d.entity_id, w FROM donor d CROSS JOIN LATERAL unnest(words_of_email(d.email)) w EXCEPT ALL SELECT donor_id, entity_id, word FROM donor_email_word)
	UNION ALL
	(SELECT donor_id, entity_id, word FROM donor_email_word EXCEPT ALL SELECT DISTINCT d.id, d.entity_id, w FROM donor d CROSS JOIN LATERAL unnest(words_of_email(d.email)) w)`

// byNames finds donors as find_donors does, in the names themselves.
const byNames = `SELECT d.id::text FROM donor d WHERE d.entity_id = $1 AND words_of_name($2, NULL, NULL) <> '{}' AND NOT EXISTS (
	SELECT FROM unnest(words_of_name($2, NULL, NULL)) q WHERE NOT EXISTS (
	SELECT FROM unnest(words_of_name(d.first_name, d.last_name, d.organisation_name)) w WHERE starts_with(w, q))) ORDER BY 1`

// TestWordsFollowNames: donors who come, change their names, are erased and go; after each step their words are those of
// their names, and searches find whom the names say, few or many.
func TestWordsFollowNames(t *testing.T) {
	t.Parallel()
	h := program.New(t, program.Options{})
	r := rand.New(rand.NewPCG(1, 14))
	entity, err := h.CurrentCatalog().Entity("tsne")
	require.NoError(t, err)
	parts := []string{"Ana", "Anabel", "María", "Mar", "José", "O'Brien", "de la", "Jean-Baptiste", "山田", "太郎", "Œuvre", "No. 7", "ﬁn", "", "Σίσυφος", "İnci", "Ana Ana", "Łukasz"}
	name := func() string { return parts[r.IntN(len(parts))] }
	random := func(n int) []string {
		return h.Lines(`SELECT id::text FROM donor ORDER BY md5(id::text || $1) LIMIT $2`, r.Int(), n)
	}
	for step := range 15 {
		for range 5 {
			h.Exec(`INSERT INTO donor (id, entity_id, kind, email, first_name, last_name, organisation_name, language, created_at)
				VALUES ($1, $2, 'organisation', $3, $4, $5, $6, 'en', now()) ON CONFLICT DO NOTHING`, uuid.New(), entity.ID, fmt.Sprintf("%d@donor.example", r.IntN(300)), name(), name(), name())
		}
		for _, id := range random(3) {
			_, err := h.DB.Server.Exec(`UPDATE donor SET first_name = $2, last_name = $3, phone = $4 WHERE id = $1`, id, name(), name(), fmt.Sprint(step))
			require.NoError(t, err)
		}
		for _, id := range random(1) {
			h.Exec(`UPDATE donor SET email = $2 WHERE id = $1 AND email NOT LIKE '%@invalid'`, id, fmt.Sprintf("o.leary-%d@mail.donor%d.example", step, r.IntN(9)))
		}
		for _, id := range random(1) {
			h.Exec(`UPDATE donor SET email = 'forgotten-' || id || '@invalid', first_name = '', last_name = '', organisation_name = '' WHERE id = $1`, id)
		}
		for _, id := range random(1) {
			h.Exec(`DELETE FROM donor WHERE id = $1`, id)
		}
		require.Empty(t, h.Lines(`SELECT x::text FROM (`+wordsDiffer+`) x`))
		require.Empty(t, h.Lines(`SELECT x::text FROM (`+emailWordsDiffer+`) x`))
		for range 5 {
			text := name() + " " + name()
			if letters := []rune(text); r.IntN(2) == 0 {
				text = string(letters[:r.IntN(len(letters))])
			}
			want := h.Lines(byNames, entity.ID, text)
			for _, most := range []int{1, 5, 1000} {
				found := h.Lines(`SELECT f::text FROM find_donors($1, $2, $3) f ORDER BY 1`, entity.ID, text, most)
				require.Len(t, found, min(most, len(want)), "%s", text)
				require.Subset(t, want, found)
				require.Len(t, slices.Compact(found), min(most, len(want)), "%s: each once", text)
			}
		}
	}
	require.NotZero(t, h.Count(`SELECT count(*) FROM donor_word`))
	require.NotZero(t, h.Count(`SELECT count(*) FROM donor_email_word WHERE word = 'leary'`))
	require.NotZero(t, h.Count(`SELECT count(*) FROM donor_email_word w JOIN donor d ON d.id = w.donor_id WHERE word LIKE 'mail.donor%.example'`))
	require.Zero(t, h.Count(`SELECT count(*) FROM donor_email_word w JOIN donor d ON d.id = w.donor_id WHERE d.email LIKE '%@invalid'`))
	h.Exec(`INSERT INTO donor (id, entity_id, email, first_name, last_name, language, created_at) VALUES (gen_random_uuid(), $1, 'long@donor.example', $2, '', 'en', now())`,
		entity.ID, strings.Repeat("𝕏", 3000))
	require.Equal(t, []string{"500"}, h.Lines(`SELECT max(length(word))::text FROM donor_word`), "it fits an index")
}

// TestErasedWordsLeaveTheIndex: after an erasure and a vacuum no page of an index has an erased word, also not in the keys
// that separate pages. (Free space of pages keeps old bytes until they are written over, in every table.)
func TestErasedWordsLeaveTheIndex(t *testing.T) {
	t.Parallel()
	h := program.New(t, program.Options{})
	admin := testkit.Superuser(t, h.DB)
	var available bool
	require.NoError(t, admin.Get(&available, `SELECT EXISTS (SELECT FROM pg_available_extensions WHERE name = 'pageinspect')`))
	require.True(t, available, "install PostgreSQL's own extensions: postgresql-contrib, where pageinspect is not in the server's package")
	admin.MustExec(`CREATE EXTENSION pageinspect`)
	entity, err := h.CurrentCatalog().Entity("tsne")
	require.NoError(t, err)
	h.Exec(`INSERT INTO donor (id, entity_id, email, first_name, last_name, language, created_at)
		SELECT gen_random_uuid(), $1, CASE WHEN n % 10 <> 0 AND n < 1000 THEN 'gone' || left(md5('m' || n), 6) || '.' ELSE 'k' END || n || '@donor.example', 'Stays' || md5('s' || n), 'Erased' || md5('e' || n), 'en', now() FROM generate_series(1, 6000) n`, entity.ID)
	items := func(word string) (n int) {
		for _, index := range []string{"donor_word_by_beginning", "donor_word_of_donor", "donor_email_word_by_beginning", "donor_email_word_of_donor"} {
			var found int
			require.NoError(t, admin.Get(&found, `SELECT count(*) FROM generate_series(1, pg_relation_size($1::text::regclass) / 8192 - 1) page
				CROSS JOIN LATERAL (SELECT type FROM bt_page_stats($1::text, page)) kind CROSS JOIN LATERAL (SELECT data FROM bt_page_items($1::text, page) WHERE kind.type IN ('r', 'i', 'l')) item
				WHERE encode(decode(replace(item.data, ' ', ''), 'hex'), 'escape') ~ $2`, index, word))
			n += found
		}
		return n
	}
	require.Greater(t, items("erased[0-9a-f]{32}"), 5000, "the pages are read")
	require.Greater(t, items("gone[0-9a-f]{6}"), 800, "those of addresses too")

	h.Exec(`UPDATE donor SET last_name = '' WHERE email LIKE '%0@donor.example'`) // their first names stay
	const erasure = `00000000-0000-4000-8000-000000000001`
	h.Exec(`INSERT INTO erasure (id, asked_at, asked_by, language, due_at) VALUES ($1, now(), 'x', 'en', now())`, erasure)
	h.Exec(`INSERT INTO erasure_donor (erasure_id, donor_id) SELECT $1, id FROM donor WHERE last_name <> ''`, erasure)
	h.Exec(`SELECT erase_people($1, '{}')`, erasure)
	require.Equal(t, 600, h.Count(`SELECT count(*) FROM donor_word`))
	require.Equal(t, 1200, h.Count(`SELECT count(*) FROM donor_email_word`))
	admin.MustExec(`VACUUM donor_word, donor_email_word`)
	require.Zero(t, items("erased[0-9a-f]+"))
	require.Zero(t, items("gone[0-9a-f]+"))
	require.Equal(t, 600, items("stays[0-9a-f]+"), "those of the erased are gone too")
}
