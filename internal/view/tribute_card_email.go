package view

import (
	"fmt"
	"io/fs"
	"strings"

	"konbit/internal/platform/phrase"
)

// TributeCardWords are the facts of the card that announces a dedicated gift. The amount is not one of them.
type TributeCardWords struct {
	Language     phrase.Language
	Donee        Donee
	Organisation string // in Language
	Accent       string // #rrggbb; empty: DefaultAccent

	To      string // recipient of the card
	Giver   string // empty: the donor wants to stay anonymous
	Kind    string // honour or memory
	Name    string // of the person that the gift honours or remembers
	Message string // plain text of several lines; may be empty
}

// Lines returns the lines of the message: the email keeps its line breaks.
func (w TributeCardWords) Lines() []string {
	if w.Message == "" {
		return nil
	}
	return strings.Split(w.Message, "\n")
}

// parseEmails parses the emails of a folder, in every language.
func (v *View) parseEmails(fsys fs.FS, dir string) (map[phrase.Language]emailTemplates, error) {
	styles, err := readStyles(fsys, "letters/letter.css")
	if err != nil {
		return nil, err
	}
	emails := map[phrase.Language]emailTemplates{}
	for _, lang := range v.words.Languages() {
		if emails[lang], err = v.parseEmail(fsys, dir, lang, styles); err != nil {
			return nil, fmt.Errorf("view: %w", err)
		}
	}
	return emails, nil
}

// TributeCardEmail returns the card's subject, plain text and HTML. A language without words is replaced by English.
func (v *View) TributeCardEmail(w TributeCardWords) (subject, text, html string, err error) {
	card, written := v.tributeCardEmails[w.Language]
	if !written {
		w.Language, card = phrase.English, v.tributeCardEmails[phrase.English]
	}
	if CheckAccent(w.Accent) != nil {
		w.Accent = DefaultAccent
	}
	subject = v.Phrase(w.Language, "card.subject."+w.Kind, "name", w.Name)
	gave := "card.gave."
	if w.Giver == "" {
		gave = "card.gave_unnamed."
	}
	data := struct {
		TributeCardWords
		Subject, Gave string
	}{w, subject, v.Phrase(w.Language, gave+w.Kind, "giver", w.Giver, "organisation", w.Organisation, "name", w.Name)}
	text, html, err = card.execute(data)
	return subject, text, html, err
}
