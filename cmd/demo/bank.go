package main

import (
	"os"
	"path/filepath"
	"time"

	"konbit/internal/books/ledger"
	"konbit/internal/workshop/bankfake"
	"konbit/internal/workshop/stripefake"
)

// bankAccounts are the bank accounts of demo.yaml, to which the stand-in pays out.
var bankAccounts = map[string]stripefake.Bank{
	"tsne":                     {Slug: "tsne", Number: "0110224017"},
	"grassroots-international": {Slug: "grassroots-gifts", Number: "0110778820"},
}

// bankDir is the directory below DEMO_DIR with the bank's files.
const bankDir = "bank"

// writeBankFiles writes each account's statements of the history, by month, in every format of the stand-in's bank. The last
// one ends yesterday, so that a later download continues it.
func (d *demo) writeBankFiles() error {
	dir := filepath.Join(d.dir, bankDir)
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return err
	}
	begun, today := time.Unix(d.cards.HistoryProgress().From, 0).UTC(), ledger.DateOf(d.cards.Now(), time.UTC)
	for _, bank := range bankAccounts {
		for from := ledger.DateOf(begun, time.UTC).FirstOfMonth(0); from.String() < today.String(); from = from.FirstOfMonth(1) {
			to := ledger.DateOf(from.FirstOfMonth(1).In(time.UTC).AddDate(0, 0, -1), time.UTC)
			if to.String() >= today.String() {
				to = ledger.DateOf(today.In(time.UTC).AddDate(0, 0, -1), time.UTC)
			}
			if err := d.writeStatement(dir, bank.Slug, from, to); err != nil {
				return err
			}
		}
	}
	return nil
}

func (d *demo) writeStatement(dir, slug string, from, to ledger.Date) error {
	if to.String() < from.String() {
		return nil
	}
	st, err := d.cards.BankStatement(slug, from, to)
	if err != nil {
		return err
	}
	for _, format := range bankfake.Formats() {
		name := slug + "-" + from.String()[:7] + "." + format + bankfake.Extension(format)
		if format == bankfake.CSV || format == bankfake.OFX {
			name = slug + "-" + from.String()[:7] + bankfake.Extension(format)
		}
		file, err := os.Create(filepath.Join(dir, name))
		if err != nil {
			return err
		}
		if err := bankfake.Write(file, format, st); err != nil {
			_ = file.Close()
			return err
		}
		if err := file.Close(); err != nil {
			return err
		}
	}
	return nil
}
