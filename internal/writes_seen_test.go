package internal_test

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// TestBareWritesAreFound gives the rule wrong code, and correct code that looks similar.
func TestBareWritesAreFound(t *testing.T) {
	h, writes := loadModule(t), writesOf(t)
	for source, wrong := range map[string]bool{
		`tx.ExecContext(ctx, "DELETE FROM a")`:                                                   false,
		`plain.ExecContext(ctx, "DELETE FROM a")`:                                                false,
		`tx.GetContext(ctx, &x, "INSERT INTO a VALUES (1) RETURNING 1")`:                         false,
		`sqlx.GetContext(ctx, tx, &x, "INSERT INTO a VALUES (1) RETURNING 1")`:                   false,
		`db.GetContext(ctx, &x, "/* INSERT */ SELECT a -- delete\n FROM b WHERE c = 'update'")`:  false,
		`db.GetContext(ctx, &x, "SELECT updated_at FROM a FOR UPDATE")`:                          false,
		`db.GetContext(ctx, &x, "WITH a AS (SELECT 1) SELECT * FROM a")`:                         false,
		`const text = "SELECT 1"; db.GetContext(ctx, &x, text + " FROM a")`:                      false,
		`text := "SELECT 1"; if x > 1 { text = text + " FROM a" }; db.GetContext(ctx, &x, text)`: false,
		`helper(ctx, q, "SELECT 1")`:                                                             false,
		`db.GetContext(ctx, &x, pieces + " FROM a")`:                                             false,
		`http.Header{}.Get("DELETE")`:                                                            false,

		`db.ExecContext(ctx, "DELETE FROM a")`:                                                  true,
		`db.DB.ExecContext(ctx, "DELETE FROM a")`:                                               true,
		`db.Exec("SELECT 1")`:                                                                   true,
		`db.MustExec("DELETE FROM a")`:                                                          true,
		`db.NamedExecContext(ctx, "DELETE FROM a WHERE b = :b", nil)`:                           true,
		`held.anything.ExecContext(ctx, "DELETE FROM a")`:                                       true,
		`held.Exec("DELETE FROM a")`:                                                            true,
		`sqlx.NamedExecContext(ctx, db, "DELETE FROM a", nil)`:                                  true,
		`sqlx.GetContext(ctx, q, &x, "INSERT INTO a VALUES (1) RETURNING 1")`:                   true,
		`sqlx.GetContext(ctx, db, &x, "INSERT INTO a VALUES (1) RETURNING 1")`:                  true,
		`q.QueryContext(ctx, "DELETE FROM a RETURNING b")`:                                      true,
		`db.GetContext(ctx, &x, "insert into a values (1) returning 1")`:                        true,
		`db.GetContext(ctx, &x, "WITH a AS (UPDATE b SET c = 1 RETURNING c) SELECT 1")`:         true,
		`db.GetContext(ctx, &x, "MERGE INTO a USING b ON true WHEN MATCHED THEN DO NOTHING")`:   true,
		`db.GetContext(ctx, &x, "SELECT 1 INTO a")`:                                             true,
		`db.GetContext(ctx, &x, "SELECT 1; DELETE FROM a")`:                                     true,
		`db.GetContext(ctx, &x, "SELECT nextval('a')")`:                                         true,
		`db.GetContext(ctx, &x, "SELECT designation_fits_gift()")`:                              true,
		`db.QueryRowContext(ctx, "CALL a()")`:                                                   true,
		`db.QueryRowContext(ctx, "TRUNCATE a")`:                                                 true,
		`conn, _ := db.Connx(ctx); conn.ExecContext(ctx, "DELETE FROM a")`:                      true,
		`conn, _ := db.Conn(ctx); conn.QueryRowContext(ctx, "DELETE FROM a")`:                   true,
		`db.PrepareContext(ctx, "DELETE FROM a")`:                                               true,
		`do := db.ExecContext; do(ctx, "DELETE FROM a")`:                                        true,
		`(db).Exec("DELETE FROM a")`:                                                            true,
		`db.GetContext(ctx, &x, given)`:                                                         true,
		`db.GetContext(ctx, &x, "SELECT " + given)`:                                             true,
		`db.GetContext(ctx, &x, fmt.Sprintf("DELETE FROM %s", given))`:                          true,
		`text := "SELECT 1"; if x > 1 { text = "DELETE FROM a" }; db.GetContext(ctx, &x, text)`: true,
		`helper(ctx, q, "DELETE FROM a RETURNING b")`:                                           true,
		`riverdatabasesql.New(db.DB)`:                                                           true,
		`pg.Repeatable[int](ctx, db, "/* guard.countAttempt */ SELECT count_attempt()")`:        false,
		`pg.Repeatable[int](ctx, db, "/* guard.other */ SELECT count_attempt()")`:               true,
		`pg.Repeatable[int](ctx, db, given)`:                                                    true,
		`lone{}.SelectContext(ctx, nil, "DELETE FROM a")`:                                       true,
	} {
		t.Run(source, func(t *testing.T) {
			within := ""
			if strings.HasPrefix(source, "helper") {
				within = "q.QueryContext(ctx, query)"
			}
			info, files := h.check(t, "konbit/internal/x", nil, `package x
			import ("context"; "database/sql"; "fmt"; "net/http"; "github.com/jmoiron/sqlx"; "github.com/riverqueue/river/riverdriver/riverdatabasesql"; "konbit/internal/platform/pg")
			var ( _ http.Header; _ = fmt.Sprint; _ = riverdatabasesql.New; _ = sqlx.Get; _ = pg.UUIDs )
			type lone struct { *sqlx.Conn }
			var pieces = "SELECT " + "1"
			type wrapper struct { *sqlx.DB; anything interface { ExecContext(context.Context, string, ...any) (sql.Result, error) } }
			func helper(ctx context.Context, q sqlx.QueryerContext, query string) { `+within+` }
			func f(ctx context.Context, db *sqlx.DB, tx *sqlx.Tx, plain *sql.Tx, q sqlx.QueryerContext, held wrapper, given string) {
				x := 0
				_ = x
				`+source+`
			}`)
			j := &checker{fset: h.fset, info: info, files: files, pkg: "x", writes: writes, used: map[string]bool{}}
			require.Equal(t, wrong, len(j.run()) > 0, "%s: %v", source, j.wrong)
		})
	}
}
