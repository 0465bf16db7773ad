package task

import (
	"cmp"
	"fmt"
	"maps"
	"regexp"
	"slices"
)

// Severity says how soon a person should see to a task.
type Severity string

// The severities, the most urgent first.
const (
	Urgent Severity = "urgent" // money is missing or owed, or a donor waits: the same day
	Normal Severity = "normal" // within the week
	Low    Severity = "low"    // nothing to do but check that it went well
)

// Audience says whose work a task is.
type Audience string

// The audiences.
const (
	Finance  Audience = "finance"  // who keeps the organisation's books
	Operator Audience = "operator" // who runs the program
)

// Closing says what closes a task. A person can close any task.
type Closing string

// The ways in which tasks close.
const (
	ByPerson      Closing = "by_person"     // only a person closes it
	Automatically Closing = "automatically" // the program closes it when its cause has ended
)

// Object is a type of object that a task leads to.
type Object string

// The objects that tasks lead to.
const (
	Payment     Object = "payment"     // a payment intent or charge at the processor
	Transaction Object = "transaction" // a balance transaction at the processor
	Donation    Object = "donation"
	Plan        Object = "plan"
	Fund        Object = "fund" // by its code
	Delivery    Object = "delivery"
	Event       Object = "event"   // an event of the processor
	Checker     Object = "checker" // the view that a checker reads
	Email       Object = "email"   // a kind of email
	Staff       Object = "staff"   // an account of staff
	Dispute     Object = "dispute" // at the processor
)

// Link says which object a task leads to and which part of the task holds the object's id.
type Link struct {
	Object Object
	Detail string // name of the entry in Task.Detail; empty: Task.Subject
}

// Kind describes the tasks about one thing that can happen.
type Kind struct {
	Code     string // value of finance_task.kind; never changes, since a changed code would close no task of the old one
	Severity Severity
	For      Audience
	Link     Link
	Closes   Closing
}

// TitleKey is the phrase key of the kind's name, a few words.
func (k *Kind) TitleKey() string { return "task." + k.Code + ".title" }

// NextKey is the phrase key of the text that says what happened and what to do next.
func (k *Kind) NextKey() string { return "task." + k.Code + ".next" }

// registry holds every kind of the program by its code. Only package variables are initialised from Register, and
// nothing reads the registry before main or a test starts, so the order of initialisation has no effect.
var registry = map[string]*Kind{}

var code = regexp.MustCompile(`^[a-z][a-z_]*[a-z]$`)

// Register adds a kind and returns it. It is called to initialise a package variable, and panics if the kind is
// incomplete or its code is taken, so that such a program does not start.
func Register(k Kind) *Kind {
	if err := k.check(); err != nil {
		panic(err)
	}
	if registry[k.Code] != nil {
		panic(fmt.Errorf("task: kind %s is registered twice", k.Code))
	}
	registry[k.Code] = &k
	return &k
}

func (k Kind) check() error {
	switch {
	case !code.MatchString(k.Code):
		return fmt.Errorf("task: %q is no code of a kind", k.Code)
	case !slices.Contains([]Severity{Urgent, Normal, Low}, k.Severity):
		return fmt.Errorf("task: kind %s has severity %q", k.Code, k.Severity)
	case !slices.Contains([]Audience{Finance, Operator}, k.For):
		return fmt.Errorf("task: kind %s is for %q", k.Code, k.For)
	case !slices.Contains([]Closing{ByPerson, Automatically}, k.Closes):
		return fmt.Errorf("task: kind %s closes %q", k.Code, k.Closes)
	case !slices.Contains([]Object{Payment, Transaction, Donation, Plan, Fund, Delivery, Event, Checker, Email, Staff, Dispute}, k.Link.Object):
		return fmt.Errorf("task: kind %s leads to %q", k.Code, k.Link.Object)
	}
	return nil
}

// Kinds returns every registered kind in the order of their codes.
func Kinds() []*Kind {
	return slices.SortedFunc(maps.Values(registry), func(a, b *Kind) int { return cmp.Compare(a.Code, b.Code) })
}

// Find returns the kind with a code; nil if none is registered, as for a row that another version of the program wrote.
func Find(code string) *Kind { return registry[code] }
