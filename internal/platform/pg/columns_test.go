package pg_test

import (
	"database/sql"
	"math"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"konbit/internal/platform/pg"
	"konbit/internal/workshop/testkit"
)

// TestColumns: PostgreSQL reads back the rows that were added, in their order.
func TestColumns(t *testing.T) {
	t.Parallel()
	type row struct {
		Text  string
		N     int64
		M     int
		ID    uuid.UUID
		At    time.Time
		Yes   bool
		Share float64
		Bytes []byte
		Maybe uuid.NullUUID
		Note  sql.NullString
		None  sql.NullString
	}
	const query = `SELECT u.* FROM unnest($2::text[], $3::bigint[], $4::integer[], $5::uuid[], $6::timestamptz[], $7::boolean[], $8::float8[],
		$9::bytea[], $10::uuid[], $11::text[], $12::text[]) AS u (text, n, m, id, at, yes, share, bytes, maybe, note, none) WHERE $1`
	db := testkit.EmptyDB(t).Server
	at := time.Date(2026, 3, 1, 23, 59, 59, 123456000, time.FixedZone("", -4*3600))
	id, note := uuid.New(), `NULL`
	texts := []string{``, `NULL`, `a,b`, `{}`, `"quoted"`, `back\slash\`, " spaces ", "two\nlines", `Bèl Fanm, ñandú 🌱`, `\x00`, `'; --`}
	rows := pg.NewColumns(11)
	var want, got []row
	for i, text := range texts {
		w := row{
			Text: text, N: math.MinInt64 + int64(i), M: -i, ID: uuid.New(), At: at.Add(time.Duration(i) * time.Microsecond).UTC(),
			Yes: i%2 == 0, Share: 1 / float64(i+3), Bytes: []byte(text),
		}
		if i%2 == 0 {
			w.Maybe, w.Note = uuid.NullUUID{UUID: id, Valid: true}, sql.NullString{String: note, Valid: true}
			rows.Add(w.Text, w.N, w.M, w.ID, at.Add(time.Duration(i)*time.Microsecond), w.Yes, w.Share, w.Bytes, &id, &note, nil)
		} else {
			rows.Add(w.Text, w.N, w.M, w.ID, w.At, w.Yes, w.Share, w.Bytes, (*uuid.UUID)(nil), (*string)(nil), nil)
		}
		want = append(want, w)
	}
	require.NoError(t, db.Select(&got, query, rows.Args(true)...))
	for i := range got {
		got[i].At = got[i].At.UTC()
	}
	assert.Equal(t, want, got)
	require.NoError(t, db.Select(&got, query, pg.NewColumns(11).Args(true)...))
	assert.Empty(t, got, "no rows are empty arrays")
}

func TestColumnsRefuses(t *testing.T) {
	t.Parallel()
	for name, values := range map[string][]any{
		"too few values": {"a"}, "too many values": {"a", "b", "c"}, "a slice": {"a", []string{"b"}}, "a struct": {"a", struct{ N int }{1}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			assert.Panics(t, func() { pg.NewColumns(2).Add(values...) })
		})
	}
}
