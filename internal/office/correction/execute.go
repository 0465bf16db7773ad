package correction

import (
	"context"
	"errors"

	"github.com/google/uuid"
	"github.com/jmoiron/sqlx"

	"konbit/internal/books/fund"
	"konbit/internal/giving/donation"
	"konbit/internal/giving/donor"
	"konbit/internal/giving/receipt"
	"konbit/internal/office/bank"
	"konbit/internal/office/deposit"
	"konbit/internal/office/offline"
	"konbit/internal/people/approval"
	"konbit/internal/people/audit"
	"konbit/internal/platform/fault"
	"konbit/internal/processor/offlinepay"
)

// Books voids gifts in the books. offlinepay.Booker is one.
type Books interface {
	VoidOfflineTx(ctx context.Context, tx *sqlx.Tx, catalog *fund.Catalog, entity, payment uuid.UUID) (bool, error)
	VoidReplacedTx(ctx context.Context, tx *sqlx.Tx, catalog *fund.Catalog, entity, payment uuid.UUID) (bool, error)
	Voidable(ctx context.Context, tx *sqlx.Tx, catalog *fund.Catalog, entity, payment uuid.UUID) ([]offlinepay.Voidable, error)
}

// Service executes requests.
type Service struct {
	Books  Books
	Poster offline.Poster
	NewID  func() uuid.UUID
}

// Gift is a posted gift as a correction finds it.
type Gift struct {
	offline.Gift
	Donation donation.Donation
	Batch    offline.Batch
	Row      offline.Row
}

// GiftOf returns the posted gift of a donation; fault.NotFound if it did not come by a batch, as all gifts without a processor do.
func GiftOf(ctx context.Context, q sqlx.QueryerContext, d donation.Donation) (g Gift, err error) {
	g.Donation = d
	found, err := offline.OfDonation(ctx, q, d.ID)
	if err == nil && len(found) == 0 {
		err = fault.New(fault.NotFound, "problem.404.text", nil)
	}
	if err != nil {
		return g, err
	}
	g.Gift = found[0]
	g.Batch, g.Row, err = offline.RowOf(ctx, q, g.Gift)
	return g, err
}

// Obstacle is what has a gift, so that it is undone first.
type Obstacle struct {
	Why     error       // a *fault.Error
	Deposit int         // the number of the closed deposit that has it; 0: none
	Match   *bank.Match // the match of its line of the bank, or of the deposit's; nil: none
}

// ObstacleOf returns what has a gift; nil if nothing does.
func ObstacleOf(ctx context.Context, q sqlx.QueryerContext, g Gift) (*Obstacle, error) {
	match, err := bank.MatchOf(ctx, q, g.EntityID, "gift", g.Donation.PublicRef)
	if err != nil {
		return nil, err
	}
	if match != nil {
		return &Obstacle{Why: fault.New(fault.Conflict, "office.void.problem.matched", fault.Args{"account": match.Account, "day": match.On.String()}), Match: match}, nil
	}
	in, err := deposit.OfGift(ctx, q, g.ID)
	if err != nil || in == nil || in.State() == deposit.Open {
		return nil, err
	}
	o := &Obstacle{Why: fault.New(fault.Conflict, "office.void.problem.deposit_closed", fault.Args{"n": in.N}), Deposit: in.N}
	if in.State() == deposit.Booked {
		o.Why = fault.New(fault.Conflict, "office.void.problem.deposit_booked", fault.Args{"n": in.N, "account": in.Account})
		if match, err := bank.MatchByID(ctx, q, g.EntityID, in.MatchID.UUID); err == nil {
			o.Match = &match
		}
	}
	return o, nil
}

// ExecuteTx executes a request that another person approved, in the transaction of the staff session of that person. It reports ErrSecondOnly if the request
// is not approved, ErrChanged if it cannot be read any more as it was approved, ErrVoided, the reason of an Obstacle, the errors of offlinepay.VoidOfflineTx,
// and *offline.ErrRow if the gift in its place cannot be posted. It locks the donors, then what voiding and posting lock.
func (s Service) ExecuteTx(ctx context.Context, tx *sqlx.Tx, catalog *fund.Catalog, r approval.Stored) error {
	act, err := Asked(ctx, tx, r)
	if err != nil {
		return err
	}
	id, err := uuid.Parse(r.Subject)
	if err != nil {
		return err
	}
	g, err := s.lockTx(ctx, tx, act)
	if err != nil {
		return err
	}
	var single *offline.Single
	if act.New != nil {
		if single, err = s.singleTx(ctx, tx, catalog, g, *act.New, id); err != nil {
			return err
		}
	}
	if err := s.voidTx(ctx, tx, catalog, g, single); err != nil {
		return err
	}
	var next uuid.NullUUID
	if single != nil {
		row, _, err := s.Poster.PostSingleTx(ctx, tx, catalog, *single)
		if err != nil {
			return err
		}
		next = row.GiftID
	}
	const insert = `/* correction.ExecuteTx */ INSERT INTO gift_void (id, entity_id, gift_id, new_gift_id, request_id, request_hash) VALUES ($1, $2, $3, $4, $5, $6)`
	if _, err := tx.ExecContext(ctx, insert, id, act.EntityID, g.ID, next, r.ID, r.StoredHash); err != nil {
		return explained(err)
	}
	name := "gift.voided"
	after := map[string]any{"gift": g.Donation.ID, "amount": act.Paid.Minor, "currency": act.Paid.Currency}
	if next.Valid {
		name, after["new_gift"] = "gift.corrected", next.UUID
	}
	return audit.RecordTx(ctx, tx, audit.Act{Name: name, EntityID: uuid.NullUUID{UUID: act.EntityID, Valid: true},
		OrganisationID: uuid.NullUUID{UUID: g.Donation.OrganisationID, Valid: true}, ObjectKind: "gift_void", ObjectID: id.String(), After: after})
}

// explained returns the reason for which the database refused; else err.
func explained(err error) error {
	switch approval.Refused(err) {
	case "requires_approval":
		return ErrSecondOnly
	case "gift_void_as_approved":
		return ErrChanged
	case "gift_void_gift_id_key":
		return ErrVoided
	case "gift_void_is_free":
		return ErrNotFree
	}
	return err
}

// lockTx locks the donors of an act and returns the gift, which nothing else has.
func (s Service) lockTx(ctx context.Context, tx *sqlx.Tx, act Act) (g Gift, err error) {
	found, err := offline.ByGiftID(ctx, tx, act.EntityID, act.GiftID)
	if err != nil {
		return g, err
	}
	if err := receipt.LockDonorsTx(ctx, tx, []uuid.UUID{found.DonationID.UUID}); err != nil {
		return g, err
	}
	d, err := donation.ByID(ctx, tx, found.DonationID.UUID)
	if err != nil {
		return g, err
	}
	if g, err = GiftOf(ctx, tx, d); err != nil {
		return g, err
	}
	obstacle, err := ObstacleOf(ctx, tx, g)
	if err == nil && obstacle != nil {
		err = obstacle.Why
	}
	return g, err
}

// singleTx returns the gift in the place of another one. Its receipt replaces that of the other one if it is of the same donor.
func (s Service) singleTx(ctx context.Context, tx *sqlx.Tx, catalog *fund.Catalog, g Gift, n New, id uuid.UUID) (*offline.Single, error) {
	entity, err := catalog.EntityByID(g.EntityID)
	if err != nil {
		return nil, err
	}
	choice := offline.Choice{}
	if n.DonorID.Valid {
		record, err := donor.RecordOf(ctx, tx, n.DonorID.UUID)
		if err != nil {
			return nil, err
		}
		choice = offline.Choice{ID: n.DonorID.UUID, Kind: record.Kind}
	}
	meaning, bad := CheckerOf(catalog, entity, n.ReceivedOn).Check(n.Typed, choice)
	if len(bad) > 0 {
		return nil, &offline.ErrRow{N: 1, Fields: bad}
	}
	if credited, err := uuid.Parse(n.Typed["soft_credit"]); err == nil {
		meaning.SoftCredit = uuid.NullUUID{UUID: credited, Valid: true}
	}
	single := &offline.Single{
		Batch: offline.Batch{ID: s.NewID(), EntityID: g.EntityID, ReceivedOn: n.ReceivedOn, Currency: entity.Currency, Account: n.Account,
			Submission: uuid.NewSHA1(id, []byte("batch"))},
		Typed: n.Typed, Meaning: meaning,
	}
	was, err := receipt.ValidOf(ctx, tx, g.Donation.ID)
	if err != nil {
		return nil, err
	}
	if was != nil && meaning.GivenBy.HasReceipt() && n.DonorID.UUID == g.Donation.DonorID {
		single.Replaces = &receipt.Replaced{Number: was.Reference(), IssuedAt: was.IssuedAt, Reason: receipt.Corrected,
			On: s.Poster.Now().In(entity.Location()).Format("2006-01-02")}
	}
	return single, nil
}

// voidTx takes a gift out of what is deposited and undoes it in the books. The donor is told, unless the receipt of the other gift says so.
func (s Service) voidTx(ctx context.Context, tx *sqlx.Tx, catalog *fund.Catalog, g Gift, single *offline.Single) error {
	if err := deposit.LeaveTx(ctx, tx, g.ID); err != nil {
		return err
	}
	void := s.Books.VoidOfflineTx
	if single != nil && single.Replaces != nil {
		void = s.Books.VoidReplacedTx
	}
	done, err := void(ctx, tx, catalog, g.EntityID, g.ID)
	if err == nil && !done {
		err = ErrVoided
	}
	return err
}

// Refusal returns why the act of an executed request was refused, for the page of the request; nil if err is no such refusal.
func Refusal(err error) error {
	var row *offline.ErrRow
	if errors.As(err, &row) && len(row.Fields) > 0 {
		return fault.New(fault.Conflict, row.Fields[0].Phrase, row.Fields[0].Args)
	}
	return err
}
