package app

import (
	"context"
	"log/slog"

	"github.com/google/uuid"
	"github.com/jmoiron/sqlx"

	"konbit/internal/books/fund"
	"konbit/internal/giving/donation"
	"konbit/internal/giving/notice"
	"konbit/internal/giving/receipt"
	"konbit/internal/mail"
	"konbit/internal/mail/difference"
	"konbit/internal/office/bank"
	"konbit/internal/office/deposit"
	"konbit/internal/office/giftimport"
	"konbit/internal/office/giftlist"
	"konbit/internal/office/offline"
	"konbit/internal/office/privacy"
	"konbit/internal/office/repayment"
	"konbit/internal/office/statement"
	"konbit/internal/office/thanks"
	"konbit/internal/people/staff"
	"konbit/internal/platform/jobs"
	"konbit/internal/processor/offlinepay"
	"konbit/internal/processor/settlement"
)

// Office is the services that need only the database: the commands of finance staff use them without Stripe, a mail
// server or pages. What they order (emails, deletion of customers at Stripe) is done by the workers of the server.
type Office struct {
	Queue         *jobs.Queue
	Catalog       *fund.CatalogCache
	ReceiptIssuer receipt.Issuer
	Statements    statement.Issuer
	Privacy       privacy.Eraser
	Bank          bank.Service
	Imports       giftimport.Service // of gifts from spreadsheets
}

// NewResender builds what sends a receipt's email again. Of the settings it uses DKIM.
func NewResender(s Settings, o Office, db *sqlx.DB, clocks Clocks, log *slog.Logger) (mail.Resender, error) {
	pages, err := embeddedView()
	if err != nil {
		return mail.Resender{}, err
	}
	return mail.Resender{Queue: o.Queue, Receipts: mail.Receipts{Mailer: mail.Mailer{
		DB: db, View: pages, Models: difference.NewModels(db), DKIM: s.DKIM, NewID: NewID, Now: clocks.Wall, Shown: clocks.Shown, Log: log,
	}}}, nil
}

// NewStaff builds what the operator's commands about staff use, with the connection of the owner of the tables. It has no
// limits. Of the settings it uses the keys and the office's address.
func NewStaff(s Settings, o Office, owner *sqlx.DB) staff.Service {
	return staff.Service{DB: owner, Queue: o.Queue, Keys: s.Keys(), Site: s.OfficeSite(), NewID: NewID, Record: recordStaffTx}
}

// NewOffice builds the services over db. Of the settings it uses the keys and CatalogAge.
func NewOffice(s Settings, db *sqlx.DB, clocks Clocks) (Office, error) {
	queue, err := jobs.NewQueue()
	if err != nil {
		return Office{}, err
	}
	age := s.CatalogAge
	if age == 0 {
		age = CatalogAge
	}
	catalog := fund.NewCatalogCache(db, age, clocks.Wall)
	receipts := receipt.Issuer{Queue: queue, NewID: NewID}
	booker := offlinepay.Booker{Booker: settlement.Booker{Receipts: receipts, NewID: NewID, Now: clocks.Business}}
	poster := offline.Poster{
		Settler: donation.Settler{
			Receipts: receipts, Notices: notice.Recorder{Queue: queue, NewID: NewID}, NewID: NewID, Now: clocks.Business,
			Offline: settlement.OfflineFees{NewID: NewID},
		},
		Thanks: thanks.Issuer{Queue: queue, NewID: NewID}, NewID: NewID, NewRef: NewRef, Now: clocks.Business,
	}
	return Office{
		Queue:         queue,
		Catalog:       catalog,
		ReceiptIssuer: receipts,
		Statements: statement.Issuer{
			DB: db, Queue: queue, Catalog: catalog, Now: clocks.Business, Measured: clocks.Measured, NewID: NewID,
		},
		// Whoever owns things that come to the bank adds a kind.
		Bank: bank.Service{Kinds: []bank.ItemKind{
			bank.Payouts{}, bank.ReturnedPayouts{}, deposit.Kind{}, repayment.Kind{},
			deposit.Returned{Catalog: catalog, Books: booker, Owed: repayment.Settler{NewID: NewID}, Now: clocks.Business},
		}, Gifts: giftWords, NewID: NewID, Now: clocks.Business},
		Imports: giftimport.Service{DB: db, Queue: queue, Catalog: catalog, Poster: poster, Voider: booker, NewID: NewID, Now: clocks.Business},
		Privacy: privacy.Eraser{DB: db, Queue: queue, Keys: s.Keys(), Now: clocks.Business, NewID: NewID},
	}, nil
}

// giftWords is bank.GiftWords.
func giftWords(ctx context.Context, q sqlx.QueryerContext, entity uuid.UUID, refs []string) (names, numbers map[string]string, err error) {
	if names, err = giftlist.NamesOf(ctx, q, entity, refs); err == nil {
		numbers, err = offline.NumbersOf(ctx, q, entity, refs)
	}
	return names, numbers, err
}
