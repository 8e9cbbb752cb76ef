using System.Globalization;

namespace ActorTrainer.Core.Progress;

/// <summary>
/// Reads lines that consist of names and values and of nothing else: <c>step 120/1000 loss 0.31</c>, <c>Epoch: [3][ 120/5005] Loss 6.9
/// (6.95)</c>. A line with one word that belongs to no value is a sentence, and says nothing.
/// </summary>
internal ref partial struct FieldLine
{
    private const int MostWords = 8;
    private const int LongestGroup = 60;
    private readonly ReadOnlySpan<char> _text;
    private readonly FieldCollector _fields = new();
    private int _at;
    private bool _epochWaits;
    private bool _afterEpoch;
    private bool _begun;

    private FieldLine(ReadOnlySpan<char> text) => _text = text;

    /// <summary>What the line says; null: it is not such a line, or says nothing.</summary>
    public static LineReading? Read(ReadOnlySpan<char> text) => new FieldLine(text).Read();

    private LineReading? Read()
    {
        while (true)
        {
            SkipSeparators();
            if (_at == _text.Length)
            {
                return _epochWaits ? null : _fields.ToReading();
            }

            char c = _text[_at];
            bool understood =
                c is '[' or '(' ? ReadGroup(c == '[' ? ']' : ')')
                : char.IsAsciiLetter(c) || c == '_' ? ReadField()
                : ReadBare();
            if (!understood)
            {
                return null;
            }

            _begun = true;
        }
    }

    private void SkipSeparators()
    {
        while (_at < _text.Length)
        {
            char c = _text[_at];
            bool last = _at + 1 == _text.Length || char.IsWhiteSpace(_text[_at + 1]);
            bool separates = char.IsWhiteSpace(c) || c is ',' or ';' or '|' or '•' or '·' or ']';

            // "[Epoch 3]" has a field in its brackets, "[ 120/5005]" a value.
            bool opens = c == '[' && !last && char.IsAsciiLetter(_text[_at + 1]);
            if (!separates && !opens && !(last && c is '-' or '–' or '—' or '.' or ':'))
            {
                return;
            }

            _at++;
        }
    }

    /// <summary>What stands in brackets: an average beside its value, a share, or the steps of an epoch.</summary>
    private bool ReadGroup(char close)
    {
        ReadOnlySpan<char> rest = _text[(_at + 1)..];
        rest = rest[..Math.Min(rest.Length, LongestGroup)];
        int end = rest.IndexOf(close);
        if (end < 0)
        {
            return false;
        }

        ReadOnlySpan<char> inside = rest[..end].Trim();
        _at += end + 2;
        if (_epochWaits)
        {
            _epochWaits = false;
            return ReadEpoch(inside);
        }

        int paren = inside.IndexOf('(');
        if (paren > 0)
        {
            // "12800/60000 (21%" of "[12800/60000 (21%)]".
            inside = inside[..paren].Trim();
        }

        int slash = inside.IndexOf('/');
        if (slash > 0 && IsWhole(inside[..slash].Trim(), out long step) && IsWhole(inside[(slash + 1)..].Trim(), out long total))
        {
            _fields.AddPart(step, total);
            return true;
        }

        foreach (char c in inside)
        {
            if (!char.IsAsciiDigit(c) && c is not (' ' or '.' or ',' or '%' or '-' or '+' or 'e' or 'E'))
            {
                return inside.StartsWith("avg", StringComparison.OrdinalIgnoreCase)
                    && double.TryParse(inside[3..].Trim(" :="), CultureInfo.InvariantCulture, out _);
            }
        }

        return true;
    }

    private readonly bool ReadEpoch(ReadOnlySpan<char> inside)
    {
        int slash = inside.IndexOf('/');
        if (!IsWhole((slash < 0 ? inside : inside[..slash]).Trim(), out long epoch))
        {
            return false;
        }

        long? total = null;
        if (slash >= 0)
        {
            if (!IsWhole(inside[(slash + 1)..].Trim(), out long epochs))
            {
                return false;
            }

            total = epochs;
        }

        _fields.Add("epoch", epoch, total, whole: true, oneWord: true);
        return true;
    }

    private bool ReadField()
    {
        _afterEpoch = false;
        int from = _at;
        int to = _at;
        int words = 0;
        bool evaluates = false;
        while (_at < _text.Length && (char.IsAsciiLetter(_text[_at]) || _text[_at] == '_'))
        {
            int word = _at;
            SkipWord();
            ReadOnlySpan<char> spelled = _text[word.._at];
            if (words > 0 && IsNoNumber(spelled))
            {
                _at = word;
                break;
            }

            to = _at;
            evaluates |= FieldNames.IsEvaluation(spelled);
            if (++words > MostWords)
            {
                return false;
            }

            SkipBlanks();
        }

        string name = FieldNames.Normal(_text[from..to]);
        if (!SkipUnitOfName())
        {
            return false;
        }

        bool named = false;
        if (_at < _text.Length && _text[_at] is ':' or '=')
        {
            named = _text[_at] == '=';
            _at++;
            SkipBlanks();
        }

        bool counter =
            FieldNames.IsStep(LastWord(name), true) || FieldNames.IsEpoch(LastWord(name), true) || FieldNames.IsBatch(LastWord(name));
        if (evaluates && (counter || words == 1))
        {
            return false;
        }

        if (FieldNames.IsEpoch(name, ofTotal: false) && _at < _text.Length && _text[_at] == '[')
        {
            _epochWaits = true;
            return true;
        }

        return ReadValueOf(name, words == 1, named);
    }

    private bool ReadValueOf(string name, bool oneWord, bool named)
    {
        int from = _at;
        if (ReadNumber(out double value, out long? total, out bool whole))
        {
            // timm: "Train: 3 [ 120/5005 (  2%)]".
            bool timm = name == "train" && whole && total is null && NextIs('[');
            name = timm ? "epoch" : name;
            _afterEpoch = FieldNames.IsEpoch(name, total is not null);
            _fields.Add(name, value, total, whole, oneWord);
            return true;
        }

        _at = from;
        if (_at < _text.Length && named && (char.IsAsciiLetterOrDigit(_text[_at]) || _text[_at] == '_'))
        {
            while (_at < _text.Length && !char.IsWhiteSpace(_text[_at]) && _text[_at] is not (',' or ';' or '|' or ']'))
            {
                _at++;
            }

            return true;
        }

        return name is "train" or "training" && (_at == _text.Length || _text[_at] is '|' or ',' or ']');
    }

    /// <summary>A number without a name: time, rate, share; the steps behind an epoch; or a counter with which the line begins.</summary>
    private bool ReadBare()
    {
        int from = _at;
        if (!ReadNumber(out double value, out long? total, out bool whole))
        {
            return false;
        }

        if (total is { } steps)
        {
            if (_afterEpoch)
            {
                _fields.AddPart((long)value, steps);
                return true;
            }

            _fields.AddCounter((long)value, steps);
            return !_begun && value <= steps && !IsDate(value, steps);
        }

        return !whole && !double.TryParse(_text[from.._at], CultureInfo.InvariantCulture, out _);
    }

    /// <summary>"10/12 10:00:00", or "10/2024".</summary>
    private readonly bool IsDate(double value, long total)
    {
        ReadOnlySpan<char> rest = _text[_at..].TrimStart();
        bool timeFollows = rest.Length > 3 && char.IsAsciiDigit(rest[0]) && rest[..3].Contains(':');
        return (timeFollows && total <= 31) || (value <= 12 && total is >= 1970 and < 2100);
    }

    /// <summary>"(ms)" behind a name.</summary>
    private bool SkipUnitOfName()
    {
        if (_at + 1 < _text.Length && _text[_at] == '(' && char.IsAsciiLetter(_text[_at + 1]))
        {
            int length = _text[_at..].IndexOf(')');
            if (length is < 0 or > 16 || FieldNames.SaysEvaluation(_text.Slice(_at, length)))
            {
                return false;
            }

            _at += length + 1;
            SkipBlanks();
        }

        return true;
    }

    private readonly bool IsAtEnd() =>
        _at == _text.Length
        || char.IsWhiteSpace(_text[_at])
        || _text[_at] is ',' or ';' or '|' or '(' or '[' or ']' or '•'
        || (_text[_at] is ':' or '.' && (_at + 1 == _text.Length || char.IsWhiteSpace(_text[_at + 1])));

    private readonly bool NextIs(char wanted) => _text[_at..].TrimStart().StartsWith(wanted);

    private void SkipWord()
    {
        int from = _at;
        while (_at < _text.Length && (char.IsAsciiLetterOrDigit(_text[_at]) || _text[_at] is '_' or '@' or '/' or '.' or '-' or '#'))
        {
            _at++;
        }

        while (_at > from && _text[_at - 1] is '.' or '-' && (_at == _text.Length || char.IsWhiteSpace(_text[_at])))
        {
            _at--;
        }
    }

    private void SkipDigits()
    {
        while (_at < _text.Length && char.IsAsciiDigit(_text[_at]))
        {
            _at++;
        }
    }

    private void SkipBlanks()
    {
        while (_at < _text.Length && _text[_at] is ' ' or '\t')
        {
            _at++;
        }
    }

    private static string LastWord(string name) => name[(name.LastIndexOf('_') + 1)..];
}
