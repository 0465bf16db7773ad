package bank

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"strings"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/jmoiron/sqlx"
	"github.com/lib/pq"
	"github.com/stretchr/testify/require"

	"konbit/internal/books/ledger"
	"konbit/internal/giving/contact"
	"konbit/internal/giving/donation"
	"konbit/internal/giving/donor"
	"konbit/internal/giving/payment"
	"konbit/internal/office/bank"
	"konbit/internal/platform/fault"
	"konbit/internal/platform/money"
	"konbit/internal/platform/pg"
	"konbit/internal/workshop/testkit/office"
	"konbit/internal/workshop/testkit/program"
)

// sequence is a run of random acts on two accounts of one entity.
type sequence struct {
	t        testing.TB
	h        *program.Program
	rand     *rand.Rand
	person   *office.Person
	service  bank.Service
	entity   uuid.UUID
	accounts [2]bank.Account
	files    int
	acts     map[string]int // done, by name
}

// AddAccount declares a bank account of an entity.
func AddAccount(t testing.TB, h *program.Program, entity, slug string, holds bank.Holds) bank.Account {
	t.Helper()
	id := uuid.New()
	h.Exec(`INSERT INTO bank_account (id, entity_id, slug, name, last4, currency, holds, created_at, updated_at)
		SELECT $1, e.id, $3, 'Account', '4017', e.currency, $4, now(), now() FROM legal_entity e WHERE e.slug = $2`, id, entity, slug, string(holds))
	a, err := bank.AccountBySlug(t.Context(), h.DB.Owner, slug)
	require.NoError(t, err)
	return a
}

// NewService returns a service with the kinds of items that package bank has.
func NewService() bank.Service {
	return bank.Service{Kinds: []bank.ItemKind{bank.Payouts{}, bank.ReturnedPayouts{}}, NewID: program.NewID, Now: time.Now}
}

// Sequence runs so many random acts, and checks the account after each. It returns how many acts of each kind were done.
func Sequence(t testing.TB, h *program.Program, seed uint64, steps int) map[string]int {
	t.Helper()
	name := fmt.Sprintf("s%d-%s", seed, uuid.NewString()[:6])
	s := &sequence{t: t, h: h, rand: rand.New(rand.NewPCG(seed, 7)), service: NewService(), acts: map[string]int{}}
	s.accounts = [2]bank.Account{AddAccount(t, h, "tsne", name, bank.HoldsAll), AddAccount(t, h, "tsne", name+"-b", bank.HoldsAll)}
	s.entity = s.accounts[0].EntityID
	s.person = office.Add(t, h.DB.Owner, "Fin", office.Role{Role: "finance", Entity: "tsne"})
	acts := []struct {
		name   string
		weight int
		do     func() error
	}{
		{"file", 5, s.file}, {"gift", 3, s.gift}, {"match", 12, s.match}, {"split", 3, s.split}, {"join", 2, s.join}, {"undo", 5, s.undo},
		{"rule", 2, s.rule}, {"end rule", 2, s.endRule}, {"attack", 4, s.attack}, {"again", 2, s.again},
	}
	var bag []int
	for i, a := range acts {
		for range a.weight {
			bag = append(bag, i)
		}
	}
	require.NoError(t, s.file())
	for range steps {
		a := acts[bag[s.rand.IntN(len(bag))]]
		err := a.do()
		switch {
		case err == nil:
			s.acts[a.name]++
		case fault.Is(err, fault.Conflict), fault.Is(err, fault.NotFound):
			s.acts["refused "+a.name]++
		default:
			require.NoError(t, err, "seed %d: %s", seed, a.name)
		}
		s.check(a.name)
	}
	return s.acts
}

func (s *sequence) account() bank.Account { return s.accounts[s.rand.IntN(2)] }

func (s *sequence) inTx(fn func(tx *sqlx.Tx) error) error {
	return bank.Explained(s.person.InTx(s.t, s.h.DB.Server, fn))
}

// amounts are few, so that many lines and items are equal.
var amounts = []int64{1000, 2500, -1000, -2500, 5000, -700, 3500, -500}

var texts = []string{"ZELLE FROM ROSA", "RENT MARKET ST", "MONTHLY FEE", "INTEREST PAID", "TRANSFER OWN"}

// ofx writes a file of an account.
func ofx(lines []string) []byte {
	return []byte("OFXHEADER:100\r\nDATA:OFXSGML\r\nVERSION:102\r\nENCODING:USASCII\r\nCHARSET:1252\r\n\r\n<OFX><BANKMSGSRSV1><STMTTRNRS><STMTRS><CURDEF>USD" +
		"<BANKACCTFROM><BANKID>1<ACCTID>994017<ACCTTYPE>CHECKING</BANKACCTFROM><BANKTRANLIST><DTSTART>20261001<DTEND>20261031" + strings.Join(lines, "") +
		"</BANKTRANLIST></STMTRS></STMTTRNRS></BANKMSGSRSV1></OFX>")
}

func (s *sequence) line(n int) string {
	amount := amounts[s.rand.IntN(len(amounts))]
	return fmt.Sprintf("<STMTTRN><TRNTYPE>OTHER<DTPOSTED>202610%02d<TRNAMT>%s<FITID>%d<NAME>%s</STMTTRN>", 1+s.rand.IntN(28),
		money.New(amount, "USD").Decimal(), n, texts[s.rand.IntN(len(texts))])
}

// file stores a file: some of its days were read before, so some lines come late.
func (s *sequence) file() error {
	s.files++
	var lines []string
	for n := range 1 + s.rand.IntN(5) {
		lines = append(lines, s.line(s.files*100+n))
	}
	return s.store(s.account(), ofx(lines))
}

func (s *sequence) store(a bank.Account, raw []byte) error {
	return s.inTx(func(tx *sqlx.Tx) error {
		r, err := bank.ReadFile(s.t.Context(), tx, a, "file.ofx", raw, nil)
		if err != nil {
			return err
		}
		_, err = s.service.StoreFileTx(s.t.Context(), tx, s.h.CurrentCatalog(), r)
		return err
	})
}

// again stores all lines of an account in another file: none is new.
func (s *sequence) again() error {
	a := s.account()
	all, err := bank.LinesOf(s.t.Context(), s.h.DB.Owner, a.ID, october, november, 10_000)
	require.NoError(s.t, err)
	seen, lines := map[uuid.UUID]bool{}, []string{}
	for _, l := range all {
		if !seen[l.LineID] {
			seen[l.LineID] = true
			lines = append(lines, fmt.Sprintf("<STMTTRN><TRNTYPE>OTHER<DTPOSTED>%s<TRNAMT>%s<FITID>%s<NAME>%s</STMTTRN>",
				strings.ReplaceAll(l.BookedOn.String(), "-", ""), money.New(l.Whole, "USD").Decimal(), uuid.NewString(), l.Text))
		}
	}
	s.rand.Shuffle(len(lines), func(i, j int) { lines[i], lines[j] = lines[j], lines[i] })
	before := s.h.Count(`SELECT count(*) FROM bank_line`)
	if len(lines) > 0 {
		require.NoError(s.t, s.store(a, ofx(lines)))
	}
	require.Equal(s.t, before, s.h.Count(`SELECT count(*) FROM bank_line`))
	return nil
}

var (
	october  = ledger.Date{Year: 2026, Month: time.October, Day: 1}
	november = ledger.Date{Year: 2026, Month: time.November, Day: 30}
)

// gift records a gift by transfer: it stands in 1100 before its line comes.
func (s *sequence) gift() error {
	TransferGift(s.t, s.h, s.account().Slug, s.rand.IntN(2), []int64{1000, 2500, 5000}[s.rand.IntN(3)], 1+s.rand.IntN(28))
	return nil
}

// TransferGift records and settles a gift of Rosa Lima to a fund of csio, by its place, which came to an account on a day of October 2026.
func TransferGift(t testing.TB, h *program.Program, account string, fund int, minor int64, day int) donation.Donation {
	t.Helper()
	offer := h.Offer("csio")
	record := donation.Record{
		ID: program.NewID(), PublicRef: program.NewRef(), EntityID: offer.Entity.ID, OrganisationID: offer.Organisation.ID, Source: donation.FromOffice,
		Donor:    donor.Donor{ID: program.NewID(), FirstName: "Rosa", LastName: "Lima", Language: "en", CreatedAt: time.Now()},
		Language: "en", At: time.Now(), Cause: "test", Contact: donation.Contact{Contact: contact.Contact{FirstName: "Rosa", LastName: "Lima"}},
		Parts: []donation.Designation{{FundID: offer.Funds[fund].ID, Amount: money.New(minor, "USD"), Covered: money.New(0, "USD")}},
	}
	var d donation.Donation
	require.NoError(t, pg.InTx(t.Context(), h.DB.Server, func(tx *sqlx.Tx) (err error) {
		d, err = donation.RecordTx(t.Context(), tx, record)
		return err
	}))
	outcomes, err := h.Settle(donation.IncomingPayment{EntityID: d.EntityID, Method: payment.BankTransfer, DonationID: d.ID, Amount: d.Amount(),
		PaymentID: program.NewID(), Cause: "test", ReceivedAt: time.Date(2026, 10, day, 17, 0, 0, 0, time.UTC), Bank: account})
	require.NoError(t, err)
	require.Equal(t, []donation.Outcome{donation.Booked}, outcomes)
	return d
}

// Store stores a file of lines of October 2026 ("20261005 -12.50 MONTHLY FEE") in the session of a person.
func Store(t testing.TB, h *program.Program, by *office.Person, a bank.Account, lines ...string) {
	t.Helper()
	var all []string
	for n, l := range lines {
		day, rest, _ := strings.Cut(l, " ")
		amount, text, _ := strings.Cut(rest, " ")
		all = append(all, fmt.Sprintf("<STMTTRN><TRNTYPE>OTHER<DTPOSTED>%s<TRNAMT>%s<FITID>%d<NAME>%s</STMTTRN>", day, amount, n, text))
	}
	require.NoError(t, by.InTx(t, h.DB.Server, func(tx *sqlx.Tx) error {
		r, err := bank.ReadFile(t.Context(), tx, a, "file.ofx", ofx(all), nil)
		if err != nil {
			return err
		}
		_, err = NewService().StoreFileTx(t.Context(), tx, h.CurrentCatalog(), r)
		return err
	}))
}

func (s *sequence) open(a bank.Account) []bank.Line {
	lines, err := bank.OpenLines(s.t.Context(), s.h.DB.Owner, a.ID, october, november, 10_000)
	require.NoError(s.t, err)
	return lines
}

// match matches one to three open lines with items that come to them; sometimes they do not, or a line is matched already.
func (s *sequence) match() error {
	a := s.account()
	open := s.open(a)
	if len(open) == 0 {
		return nil
	}
	o := bank.Order{Account: a.Slug}
	var rest int64
	for _, i := range s.rand.Perm(len(open))[:min(len(open), 1+s.rand.IntN(3))] {
		o.Lines, rest = append(o.Lines, open[i].Part()), rest+open[i].Amount
	}
	items, err := s.service.OpenItems(s.t.Context(), s.h.DB.Owner, a)
	require.NoError(s.t, err)
	for _, i := range s.rand.Perm(len(items)) {
		if items[i].Amount == rest || s.rand.IntN(4) == 0 {
			o.Items, rest = append(o.Items, bank.Chosen{Item: items[i].Name(), Amount: items[i].Amount}), rest-items[i].Amount
			if items[i].Kind == bank.Transfer || s.rand.IntN(2) == 0 {
				break
			}
		}
	}
	other := s.accounts[0].Slug
	if a.Slug == other {
		other = s.accounts[1].Slug
	}
	own := []string{"fee", "interest", "transfer:" + other, "spending:" + s.h.Offer("csio").Funds[0].Code + ":program:rent",
		"spending:operations:management:pay", "aside:not ours"}
	if rest != 0 && s.rand.IntN(12) > 0 {
		o.Items = append(o.Items, bank.Chosen{Item: own[s.rand.IntN(len(own))], Amount: rest})
	}
	return s.inTx(func(tx *sqlx.Tx) error {
		_, err := s.service.MatchTx(s.t.Context(), tx, s.h.CurrentCatalog(), s.entity, o)
		return err
	})
}

func (s *sequence) split() error {
	open := s.open(s.account())
	if len(open) == 0 {
		return nil
	}
	l := open[s.rand.IntN(len(open))]
	return s.inTx(func(tx *sqlx.Tx) error {
		_, err := s.service.SplitTx(s.t.Context(), tx, s.entity, l.LineID, l.Amount*int64(s.rand.IntN(5)-1)/3, "two gifts in one")
		return err
	})
}

func (s *sequence) join() error {
	var parts []bank.Part
	all, err := bank.LinesOf(s.t.Context(), s.h.DB.Owner, s.account().ID, october, november, 10_000)
	require.NoError(s.t, err)
	for _, l := range all {
		if l.N > 0 {
			parts = append(parts, l.Part())
		}
	}
	if len(parts) == 0 {
		return nil
	}
	return s.inTx(func(tx *sqlx.Tx) error {
		return s.service.JoinTx(s.t.Context(), tx, s.entity, parts[s.rand.IntN(len(parts))])
	})
}

// undo undoes any match, one that is undone too.
func (s *sequence) undo() error {
	id := s.anyMatch("")
	if id == uuid.Nil {
		return nil
	}
	return s.inTx(func(tx *sqlx.Tx) error { return s.service.UndoTx(s.t.Context(), tx, s.entity, id, "by mistake") })
}

func (s *sequence) anyMatch(condition string) uuid.UUID {
	var ids []uuid.UUID
	require.NoError(s.t, s.h.DB.Owner.Select(&ids, `SELECT id FROM bank_match WHERE account_id IN ($1, $2) `+condition+` ORDER BY id`, s.accounts[0].ID, s.accounts[1].ID))
	if len(ids) == 0 {
		return uuid.Nil
	}
	return ids[s.rand.IntN(len(ids))]
}

func (s *sequence) rule() error {
	direction := []string{"in", "out"}[s.rand.IntN(2)]
	parts := [][]bank.RulePart{
		{{Item: "aside:not ours", Share: 10_000}}, {{Item: "fee", Share: 10_000}},
		{{Item: "spending:operations:management:rent", Share: 3_333}, {Item: "spending:" + s.h.Offer("csio").Funds[0].Code + ":program:rent", Share: 6_667}},
	}
	r := bank.Rule{ID: program.NewID(), Words: texts[s.rand.IntN(len(texts))], Direction: direction, Parts: parts[s.rand.IntN(len(parts))]}
	return s.inTx(func(tx *sqlx.Tx) error {
		_, err := s.service.MakeRuleTx(s.t.Context(), tx, s.h.CurrentCatalog(), s.account(), r)
		return err
	})
}

func (s *sequence) endRule() error {
	all, err := bank.RulesOf(s.t.Context(), s.h.DB.Owner, s.account().ID)
	require.NoError(s.t, err)
	if len(all) == 0 {
		return nil
	}
	return s.inTx(func(tx *sqlx.Tx) error {
		_, err := s.service.EndRuleTx(s.t.Context(), tx, s.entity, all[s.rand.IntN(len(all))].ID, true)
		return err
	})
}

// attack runs a statement as the server's role, in the session of a person of finance and with an entry of the audit log. The database refuses it.
func (s *sequence) attack() error {
	live, some := s.anyMatch("AND undone_at IS NULL"), s.anyMatch("")
	if live == uuid.Nil {
		return nil
	}
	id := uuid.New()
	audit := `INSERT INTO audit_entry (act, entity_id, object_kind, object_id) VALUES ('bank.matched', '` + s.entity.String() + `', 'bank_match', '%s');`
	insert := fmt.Sprintf(audit, id) + `INSERT INTO bank_match (id, entity_id, account_id, on_date) SELECT '` + id.String() + `', entity_id, account_id, on_date FROM bank_match WHERE id = '` + live.String() + `';`
	attacks := []string{
		insert, // nothing in it
		insert + `INSERT INTO bank_match_line (match_id, line_id, part, entity_id, account_id, amount) SELECT '` + id.String() + `', line_id, part, entity_id, account_id, amount FROM bank_match_line WHERE match_id = '` + live.String() + `';
			INSERT INTO bank_match_item (match_id, n, entity_id, account_id, kind, ref, amount, booked) SELECT '` + id.String() + `', 1, entity_id, account_id, 'aside', 'x', sum(amount), false FROM bank_match_line WHERE match_id = '` + live.String() + `' GROUP BY 2, 3, 4`,
		`INSERT INTO bank_match_item (match_id, n, entity_id, account_id, kind, ref, amount, booked) SELECT match_id, 99, entity_id, account_id, 'aside', 'x', 5, false FROM bank_match_item WHERE match_id = '` + live.String() + `' LIMIT 1`,
		fmt.Sprintf(audit, live) + `UPDATE bank_match SET undone_at = now() WHERE id = '` + live.String() + `' AND EXISTS (SELECT FROM bank_match_entry WHERE match_id = '` + live.String() + `')`,
		`UPDATE bank_match_line SET undone = true WHERE match_id = '` + live.String() + `'`,
		`DELETE FROM bank_match_item WHERE match_id = '` + some.String() + `'`,
		`UPDATE bank_line SET amount = amount + 1 WHERE account_id = '` + s.accounts[0].ID.String() + `'`,
		insert + `INSERT INTO bank_match_line (match_id, line_id, part, entity_id, account_id, amount) SELECT '` + id.String() + `', p.line_id, p.part, p.entity_id, p.account_id, p.amount + 1 FROM bank_part p WHERE p.account_id = (SELECT account_id FROM bank_match WHERE id = '` + live.String() + `') LIMIT 1;
			INSERT INTO bank_match_item (match_id, n, entity_id, account_id, kind, ref, amount, booked) SELECT match_id, 1, entity_id, account_id, 'aside', 'x', amount, false FROM bank_match_line WHERE match_id = '` + id.String() + `'`,
		`INSERT INTO journal_entry (id, entity_id, currency, entry_date, fact_date, source, source_id, kind, fact_hash, line_count) SELECT gen_random_uuid(), entity_id, currency, entry_date, entry_date, 'bank match', gen_random_uuid()::text, 'matched', sha256('x'), 2 FROM journal_entry LIMIT 1`,
	}
	n := s.rand.IntN(len(attacks))
	before := s.state()
	err := s.person.InTx(s.t, s.h.DB.Server, func(tx *sqlx.Tx) error {
		_, err := tx.Exec(attacks[n])
		return err
	})
	var refused *pq.Error
	if err != nil && !errors.As(err, &refused) {
		return err
	}
	require.Equal(s.t, before, s.state(), "attack %d: %v", n, err)
	return nil
}

// state is what an attack must not change.
func (s *sequence) state() string {
	return strings.Join(s.h.Lines(`SELECT concat_ws(' ', (SELECT count(*) FROM bank_match), (SELECT count(*) FROM bank_match WHERE undone_at IS NOT NULL),
		(SELECT sum(amount) FROM bank_match_line), (SELECT sum(amount) FROM bank_match_item WHERE NOT undone), (SELECT sum(amount) FROM bank_line),
		(SELECT count(*) FROM journal_entry))`), "")
}
