package setup

import (
	"konbit/internal/books/fund"
	"konbit/internal/books/org"
	"konbit/internal/office/bank"
)

// File is a file in which Read found no problem. It contains no ids: Apply finds or creates them.
type File struct {
	Name          string
	Entities      []Entity
	Organisations []Organisation
}

// Entity is a legal entity as the file declares it.
type Entity struct {
	org.LegalEntity
	BankAccounts []BankAccount
	in           section
}

// BankAccount is a bank account as the file declares it, without ids and currency.
type BankAccount struct {
	bank.Account
	in section
}

// Organisation is an organisation as the file declares it, with its funds.
type Organisation struct {
	org.Organisation
	Entity string // the slug of its entity, which is declared in the same file
	Funds  []Fund
	in     section
}

// Fund is a fund as the file declares it.
type Fund struct {
	fund.Fund
	Closed bool
	in     section
}
