using System.CommandLine;
using System.CommandLine.Parsing;
using System.Globalization;
using System.Numerics;
using ActorTrainer.Core.Configuration;

namespace ActorTrainer.Cli;

/// <summary>Words for a command line that cannot be used: what is wrong, and what was probably meant.</summary>
internal static class UsageText
{
    /// <summary>What is wrong with the command line; null: nothing.</summary>
    public static string? Describe(ParseResult parsed)
    {
        Command command = parsed.CommandResult.Command;
        if (DashedArgument(parsed) is string dashed)
        {
            return UnknownOption(command, dashed);
        }

        if (parsed.Errors.Count == 0)
        {
            return null;
        }

        if (parsed.UnmatchedTokens.Count > 0)
        {
            string word = parsed.UnmatchedTokens[0];
            return word.StartsWith('-') ? UnknownOption(command, word)
                : command.Subcommands.Count > 0 ? UnknownCommand(command, word)
                : TooMuch(command, word);
        }

        return parsed.Errors.Select(WrongNumber).FirstOrDefault(text => text is not null) ?? parsed.Errors[0].Message;
    }

    /// <summary>An option that the command does not have.</summary>
    public static string UnknownOption(Command command, string written)
    {
        string name = written.Split('=', 2)[0];
        string? near = NearestName.Find(name, CommandBoundary.OptionsOf(command).Select(option => option.Name));
        string behind =
            command.Arguments.Count == 0 ? ""
            : command is CliCommand { TakesCommandLine: true }
                ? $" A command that begins with dashes goes after '{CommandBoundary.Separator}'."
            : $" An argument that begins with a dash goes after '{CommandBoundary.Separator}'.";
        return $"{name} is not an option.{(near is null ? "" : $" Did you mean {near}?")}{behind}";
    }

    /// <summary>A command as the user writes it.</summary>
    public static string PathOf(Command command) =>
        string.Join(' ', CommandBoundary.Upwards(command).Select(c => c is RootCommand ? "actortrainer" : c.Name).Reverse());

    private static string UnknownCommand(Command command, string word)
    {
        string[] names = [.. command.Subcommands.Select(below => below.Name)];
        return $"there is no command '{word}'. "
            + (NearestName.Find(word, names) is string near ? $"Did you mean {near}?" : $"The commands are {string.Join(", ", names)}.");
    }

    private static string TooMuch(Command command, string word)
    {
        string takes =
            command.Arguments.Count == 0 ? "options only" : string.Join(' ', command.Arguments.Select(argument => argument.Name));
        return $"'{word}' is too much; it takes {takes}.";
    }

    /// <summary>An argument that was meant as an option: it begins with a dash and does not stand behind <c>--</c>.</summary>
    private static string? DashedArgument(ParseResult parsed)
    {
        IEnumerable<Token> before = parsed.Tokens.TakeWhile(token => token.Type != TokenType.DoubleDash);
        HashSet<Token> open = new(before, ReferenceEqualityComparer.Instance);
        return parsed
            .CommandResult.Children.OfType<ArgumentResult>()
            .Where(result => NumberType(result.Argument.ValueType) is null)
            .SelectMany(result => result.Tokens)
            .FirstOrDefault(token => token.Value.Length > 1 && token.Value[0] == '-' && open.Contains(token))
            ?.Value;
    }

    /// <summary>A text where a number is wanted; the parser's own words would name a type of .NET.</summary>
    private static string? WrongNumber(ParseError error)
    {
        (string name, Type? number, IReadOnlyList<Token> tokens) = error.SymbolResult switch
        {
            OptionResult result => (result.Option.Name, NumberType(result.Option.ValueType), result.Tokens),
            ArgumentResult { Parent: OptionResult result } => (result.Option.Name, NumberType(result.Option.ValueType), result.Tokens),
            ArgumentResult result => (result.Argument.Name, NumberType(result.Argument.ValueType), result.Tokens),
            _ => ("", null, []),
        };
        if (number is null || tokens.Count != 1)
        {
            return null;
        }

        string text = tokens[0].Value;
        (BigInteger least, BigInteger most) =
            number == typeof(int) ? (int.MinValue, int.MaxValue) : ((BigInteger)long.MinValue, long.MaxValue);
        return !BigInteger.TryParse(text, NumberStyles.AllowLeadingSign, CultureInfo.InvariantCulture, out BigInteger value)
                ? $"{name}: '{text}' is not a whole number"
            : value < least ? string.Create(CultureInfo.InvariantCulture, $"{name}: {text} is too small a number; at least {least}")
            : value > most ? string.Create(CultureInfo.InvariantCulture, $"{name}: {text} is too large a number; at most {most}")
            : null;
    }

    private static Type? NumberType(Type type)
    {
        Type plain = Nullable.GetUnderlyingType(type) ?? type;
        return plain == typeof(int) || plain == typeof(long) ? plain : null;
    }
}
