package migrations_test

import (
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"konbit/internal/workshop/testkit"
	"konbit/migrations"
)

// lastUnruled is the last migration that was released, or merged, before the rules of blocks.
const lastUnruled = "00093"

var (
	comment     = regexp.MustCompile(`--[^\n]*`)
	created     = regexp.MustCompile(`(?i)CREATE TABLE (?:IF NOT EXISTS )?(\w+)`)
	index       = regexp.MustCompile(`(?i)CREATE (?:UNIQUE )?INDEX (CONCURRENTLY )?(?:IF NOT EXISTS )?(\w+) ON (?:ONLY )?(\w+)`)
	alter       = regexp.MustCompile(`(?i)ALTER TABLE (?:IF EXISTS )?(?:ONLY )?(\w+)([^;]*);`)
	constraint  = regexp.MustCompile(`(?i)ADD (?:CONSTRAINT \w+ )?(CHECK|FOREIGN KEY|UNIQUE|PRIMARY KEY|EXCLUDE)`)
	references  = regexp.MustCompile(`(?i)ADD (?:COLUMN )?\w+ [^,]*\b(REFERENCES|CHECK)\b`)
	rewrite     = regexp.MustCompile(`(?i)SET NOT NULL|\bTYPE\b|SET (?:LOGGED|UNLOGGED)|GENERATED ALWAYS AS \(`)
	heavy       = regexp.MustCompile(`(?i)\b(LOCK TABLE|CLUSTER|VACUUM FULL|REINDEX|REFRESH MATERIALIZED VIEW)\b`)
	bodies      = regexp.MustCompile(`(?s)\$\$.*?\$\$`)
	noTx        = "-- +goose NO TRANSACTION"
	validLater  = regexp.MustCompile(`(?i)NOT VALID|USING INDEX`)
	lockTimeout = regexp.MustCompile(`(?i)lock_timeout`)
)

// blocks returns what in the Up of a migration stops the queries of a running server for longer than a moment: it holds a
// lock on an existing table while it reads or writes all of its rows.
func blocks(migration string) (wrong []string) {
	up, _, _ := strings.Cut(migration, "-- +goose Down")
	inTx := !strings.Contains(up, noTx)
	up = bodies.ReplaceAllString(comment.ReplaceAllString(up, ""), "")
	isNew := map[string]bool{}
	for _, table := range created.FindAllStringSubmatch(up, -1) {
		isNew[table[1]] = true
	}
	for _, found := range index.FindAllStringSubmatch(up, -1) {
		again := "DROP INDEX CONCURRENTLY IF EXISTS " + found[2]
		switch {
		case isNew[found[3]]:
		case found[1] == "" || inTx:
			wrong = append(wrong, "index "+found[2]+" is not built CONCURRENTLY, without a transaction")
		case !strings.Contains(up, again):
			wrong = append(wrong, "index "+found[2]+" is invalid after an interruption: first "+again)
		}
	}
	for _, found := range alter.FindAllStringSubmatch(up, -1) {
		if isNew[found[1]] {
			continue
		}
		if (constraint.MatchString(found[2]) || references.MatchString(found[2])) && !validLater.MatchString(found[2]) {
			wrong = append(wrong, "a constraint on "+found[1]+" is checked for all rows: NOT VALID, and a later migration validates it")
		}
		if rewrite.MatchString(found[2]) {
			wrong = append(wrong, found[1]+" is read or written whole under ACCESS EXCLUSIVE")
		}
	}
	if found := heavy.FindString(up); found != "" {
		wrong = append(wrong, found)
	}
	if inTx && lockTimeout.MatchString(up) {
		wrong = append(wrong, "Up bounds the wait for locks: lock_timeout is not changed in a transaction")
	}
	return wrong
}

// TestMigrationsBlockNobody: migrations run while servers of the previous release work.
func TestMigrationsBlockNobody(t *testing.T) {
	files, err := filepath.Glob("0*.sql")
	require.NoError(t, err)
	ruled := 0
	for _, file := range files {
		text, err := os.ReadFile(file)
		require.NoError(t, err)
		if file[:5] <= lastUnruled {
			continue
		}
		ruled++
		assert.Empty(t, blocks(string(text)), file)
	}
	require.NotZero(t, ruled)
	for sql, what := range map[string]string{
		`CREATE INDEX i ON gift (a);`:                                                             "not built CONCURRENTLY",
		`CREATE UNIQUE INDEX CONCURRENTLY i ON gift (a);`:                                         "without a transaction",
		noTx + "\nCREATE INDEX CONCURRENTLY i ON gift (a);":                                       "invalid after an interruption",
		noTx + "\nDROP INDEX CONCURRENTLY IF EXISTS i; CREATE INDEX CONCURRENTLY i ON gift (a);":  "",
		`CREATE TABLE gift (a int); CREATE INDEX i ON gift (a); ALTER TABLE gift ADD UNIQUE (a);`: "",
		`ALTER TABLE gift ADD CONSTRAINT c CHECK (a > 0);`:                                        "NOT VALID",
		`ALTER TABLE gift ADD CONSTRAINT c CHECK (a > 0) NOT VALID;`:                              "",
		`ALTER TABLE gift ADD COLUMN donor uuid REFERENCES donor (id);`:                           "NOT VALID",
		`ALTER TABLE gift ADD COLUMN a int NOT NULL DEFAULT 0;`:                                   "",
		`ALTER TABLE gift ALTER COLUMN a SET NOT NULL;`:                                           "ACCESS EXCLUSIVE",
		`ALTER TABLE gift ALTER COLUMN a TYPE bigint;`:                                            "ACCESS EXCLUSIVE",
		`LOCK TABLE gift;`:                            "LOCK TABLE",
		`SET LOCAL lock_timeout = 0;`:                 "Up bounds the wait",
		"-- +goose Down\nCREATE INDEX i ON gift (a);": "",
		"CREATE FUNCTION f() RETURNS void LANGUAGE plpgsql AS $$ BEGIN LOCK TABLE gift; END $$; SELECT 1": "",
	} {
		found := fmt.Sprint(blocks(sql))
		if what == "" {
			assert.Equal(t, "[]", found, sql)
		} else {
			assert.Contains(t, found, what, sql)
		}
	}
}

// TestUpGivesWay: a migration that waits for a table's lock does not stop those who come later, and ends when the lock is
// free.
func TestUpGivesWay(t *testing.T) {
	t.Parallel()
	db := testkit.DB(t)
	require.NoError(t, migrations.To(t.Context(), db.OwnerURL, 93))
	backup := db.Owner.MustBegin() // holds its lock for long
	defer func() { _ = backup.Rollback() }()
	backup.MustExec(`SELECT count(*) FROM erasure`)
	ended := make(chan error, 1)
	go func() { ended <- migrations.Up(t.Context(), db.OwnerURL, testkit.ServerRole) }()
	testkit.Eventually(t, time.Minute, func() error {
		var waits int
		err := db.Owner.Get(&waits, `SELECT count(*) FROM pg_locks WHERE relation = 'erasure'::regclass AND NOT granted`)
		if err == nil && waits == 0 {
			err = fmt.Errorf("the migration does not wait yet")
		}
		return err
	})
	page, err := db.Owner.Beginx()
	require.NoError(t, err)
	defer func() { _ = page.Rollback() }()
	page.MustExec(`SET LOCAL lock_timeout = '30s'`) // the machine may be busy; without the bound it waits for the backup
	_, err = page.Exec(`SELECT count(*) FROM erasure`)
	require.NoError(t, err, "a page reads while the migration wants the table")
	require.NoError(t, page.Rollback())
	require.Empty(t, ended, "the migration has not got its lock")
	require.NoError(t, backup.Rollback())
	require.NoError(t, <-ended)
}

// TestConstraintsHoldForAllRows: what a migration added NOT VALID, a later one has validated.
func TestConstraintsHoldForAllRows(t *testing.T) {
	t.Parallel()
	var open []string
	require.NoError(t, testkit.DB(t).Owner.Select(&open, `SELECT conrelid::regclass || ' ' || conname FROM pg_constraint WHERE NOT convalidated`))
	require.Empty(t, open)
}
