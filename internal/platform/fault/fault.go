// Package fault owns the kinds of failure that the whole program uses.
//
// A use case that refuses returns an *Error: its kind, and the key of the phrase that explains it. One place in package
// web turns the kind into an HTTP status and the phrase into the reader's language. Any error that is not an *Error is
// unexpected: the reader gets a fixed phrase and a reference number, and the details go to the log. fault knows neither
// HTTP nor languages.
package fault

import (
	"errors"
	"fmt"
	"strings"
)

// Kind is the kind of a failure.
type Kind int

// The kinds. There are few, because a caller can act only on these differences.
const (
	Unexpected  Kind = iota // a defect or a broken component; the details are for the log
	Invalid                 // the person who typed the input can correct it
	NotFound                // it does not exist, or this person may not see it
	Forbidden               // it exists, and this person may not do this
	Conflict                // it contradicts what is stored: another fact under the same key, a concurrent change
	Unavailable             // something we need does not reply now; a later attempt may succeed
)

var kindNames = [...]string{"unexpected", "invalid", "not found", "forbidden", "conflict", "unavailable"}

func (k Kind) String() string { return kindNames[k] }

// Args are the values of a phrase's {placeholders}.
type Args map[string]any

// Field is one invalid field of a form: its name, the phrase that says how to correct it, and the phrase's arguments.
type Field struct {
	Name, Phrase string
	Args         Args
}

// Error is a failure with its kind and the key of the phrase that explains it.
type Error struct {
	Kind   Kind
	Phrase string // key in the catalogue
	Args   Args
	Fields []Field // for Invalid: every invalid field
	Cause  error   // for the log; never shown to readers
}

func (e *Error) Error() string {
	var b strings.Builder
	fmt.Fprintf(&b, "%s: %s", e.Kind, e.Phrase)
	for _, f := range e.Fields {
		fmt.Fprintf(&b, " [%s: %s]", f.Name, f.Phrase)
	}
	if e.Cause != nil {
		fmt.Fprintf(&b, ": %v", e.Cause)
	}
	return b.String()
}

func (e *Error) Unwrap() error { return e.Cause }

// New returns a failure of that kind, explained by the phrase.
func New(kind Kind, phrase string, args Args) *Error {
	return &Error{Kind: kind, Phrase: phrase, Args: args}
}

// Wrap is New with the error that caused the failure, for the log.
func Wrap(kind Kind, phrase string, cause error) *Error {
	return &Error{Kind: kind, Phrase: phrase, Cause: cause}
}

// Fields returns an Invalid failure with all invalid fields; nil if there are none.
func Fields(bad []Field) error {
	if len(bad) == 0 {
		return nil
	}
	return &Error{Kind: Invalid, Phrase: "problem.form", Fields: bad}
}

// KindOf returns the kind of err; Unexpected if err contains no *Error.
func KindOf(err error) Kind {
	var e *Error
	if errors.As(err, &e) {
		return e.Kind
	}
	return Unexpected
}

// Is reports whether err is a failure of that kind.
func Is(err error, kind Kind) bool { return err != nil && KindOf(err) == kind }
