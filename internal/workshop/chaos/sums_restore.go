package chaos

import (
	"path/filepath"
	"slices"

	"github.com/stretchr/testify/require"

	"konbit/internal/office/privacy"
	"konbit/internal/workshop/testkit"
	"konbit/internal/workshop/testkit/program"
	"konbit/migrations"
)

// withoutStripe is a program whose gifts an office records.
var withoutStripe = program.Options{NoStripe: true}

// restoreEach is the number of actions of which one third comes before a backup, one third is lost when it is restored, and
// one third follows.
const restoreEach = 1000

// sumsBackup is a dump of the database, with what the row knows of it.
type sumsBackup struct {
	dump   string // path
	gifts  []officeGift
	rows   []string // the sums
	words  []string // of donors' names
	erased int      // erasures that were done
}

// wordsDiffer selects what donor_word has too much or too little, or twice.
const wordsDiffer = `
	WITH named AS (SELECT DISTINCT d.id, w FROM donor d CROSS JOIN LATERAL unnest(words_of_name(d.first_name, d.last_name, d.organisation_name)) w)
	SELECT x::text FROM ((TABLE named EXCEPT ALL SELECT donor_id, word FROM donor_word) UNION ALL (SELECT donor_id, word FROM donor_word EXCEPT ALL TABLE named)) x`

// words returns the words of all donors' names.
func (s *sums) words() []string { return s.Lines(`SELECT w::text FROM donor_word w ORDER BY 1`) }

// erased returns how many erasures were done.
func (s *sums) erased() int { return s.Count(`SELECT count(*) FROM erasure WHERE done_at IS NOT NULL`) }

// prepare has the database keep the receipts of as many erased donors as the row erases.
func (s *sums) prepare() {
	_, err := s.OwnersPrivacy().Prepare(s.t.Context(), 1000)
	require.NoError(s.t, err)
}

// backUp dumps the database as it is: entries may have no seal, and sums may be behind.
func (s *sums) backUp() *sumsBackup {
	b := &sumsBackup{dump: filepath.Join(s.t.TempDir(), "konbit.dump"), gifts: slices.Clone(s.gifts), rows: s.rows(), words: s.words(), erased: s.erased()}
	pgTool(s.t, "pg_dump", "--format=custom", "--file="+b.dump, "--dbname="+s.DB.OwnerURL)
	s.log("back up")
	return b
}

// restore continues with a backup in an empty database: what happened since is lost, but who was erased since is erased
// again, by the list of erasures. It returns how many.
func (s *sums) restore(b *sumsBackup) int {
	for range 100 {
		if s.erased() == b.erased {
			s.eraseDonorOf(pick(s.r, b.gifts))
		}
	}
	again := s.erased() - b.erased
	db := testkit.EmptyDB(s.t)
	pgTool(s.t, "pg_restore", "--no-owner", "--no-privileges", "--exit-on-error", "--single-transaction", "--dbname="+db.OwnerURL, b.dump)
	require.NoError(s.t, migrations.Up(s.t.Context(), db.OwnerURL, testkit.ServerRole))
	require.NoError(s.t, migrations.LimitClock(s.t.Context(), db.Owner.DB, true))
	s.MoveTo(db, withoutStripe)
	s.prepare()
	s.gifts, s.admin, s.offer = b.gifts, testkit.Superuser(s.t, db), s.Offer("csio")
	require.Equal(s.t, b.rows, s.rows(), "as they were dumped")
	require.Equal(s.t, b.words, s.words(), "as they were dumped")

	applied, err := s.OwnersPrivacy().SyncFile(s.t.Context(), s.list)
	require.NoError(s.t, err)
	require.Equal(s.t, privacy.ApplyResult{Erased: again}, applied)
	s.log("restore: %d erased again", again)
	s.compare()
	return again
}
