// Package fault is the house's one vocabulary of failure.
//
// A use case that refuses says which kind of refusal it is and which phrase explains it; the web's one
// door turns the kind into a status and the phrase into the reader's language. Whatever is not a *Error
// is unexpected: the reader gets a fixed phrase and a reference, the details go to the log.
// fault knows no HTTP and no language.
package fault

import (
	"errors"
	"fmt"
	"strings"
)

// Kind says what sort of failure it is.
type Kind int

// The kinds. There are few on purpose: a caller can act on these differences and no others.
const (
	Unexpected  Kind = iota // a defect or a broken part; details are for the log
	Invalid                 // the input can be mended by whoever typed it
	NotFound                // no such thing, or not theirs to see
	Forbidden               // known, and not allowed
	Conflict                // true elsewhere already: another fact under the same key, a lost race
	Unavailable             // a part we need does not answer now; trying again later helps
)

var kindNames = [...]string{"unexpected", "invalid", "not found", "forbidden", "conflict", "unavailable"}

func (k Kind) String() string { return kindNames[k] }

// Args fill the {placeholders} of a phrase.
type Args map[string]any

// Field is one bad field of a form: its name there, the phrase that says how to mend it, and the phrase's arguments.
type Field struct {
	Name, Phrase string
	Args         Args
}

// Error is a failure with its kind and the key of the phrase that explains it.
type Error struct {
	Kind   Kind
	Phrase string // key in the catalogue
	Args   Args
	Fields []Field // for Invalid: every bad field at once
	Cause  error   // for the log; never shown
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

// New is a failure of the kind, explained by the phrase.
func New(kind Kind, phrase string, args Args) *Error {
	return &Error{Kind: kind, Phrase: phrase, Args: args}
}

// Wrap is New with the error that led to it kept for the log.
func Wrap(kind Kind, phrase string, cause error) *Error {
	return &Error{Kind: kind, Phrase: phrase, Cause: cause}
}

// Fields is an Invalid failure over all bad fields, or nil when there are none.
func Fields(bad []Field) error {
	if len(bad) == 0 {
		return nil
	}
	return &Error{Kind: Invalid, Phrase: "problem.form", Fields: bad}
}

// KindOf is the kind of err, Unexpected when err carries none.
func KindOf(err error) Kind {
	var e *Error
	if errors.As(err, &e) {
		return e.Kind
	}
	return Unexpected
}

// Is tells whether err is a failure of the kind.
func Is(err error, kind Kind) bool { return err != nil && KindOf(err) == kind }
