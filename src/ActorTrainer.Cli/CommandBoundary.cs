using System.CommandLine;

namespace ActorTrainer.Cli;

/// <summary>
/// Finds where the command of <c>run</c> begins. System.CommandLine would look for options behind its first word too, and take an option
/// that nobody knows for that word.
/// </summary>
internal static class CommandBoundary
{
    public const string Separator = "--";

    /// <summary>
    /// The arguments with <c>--</c> before the first word of a command that came without it: what follows is the command's own. An option
    /// that is not known keeps them as they are.
    /// </summary>
    /// <param name="root">The commands.</param>
    /// <param name="args">What the user wrote.</param>
    /// <param name="taker">The command that takes a command line, if the arguments name it.</param>
    /// <param name="unknown">What stands before the command's first word, begins with a dash and is no option; null: nothing.</param>
    public static string[] Mark(RootCommand root, string[] args, out CliCommand? taker, out string? unknown)
    {
        taker = null;
        unknown = null;
        Command current = root;
        for (int i = 0; i < args.Length; i++)
        {
            string arg = args[i];
            if (arg == Separator)
            {
                return args;
            }

            if (arg.Length > 1 && arg[0] == '-')
            {
                if (Find(current, arg, out bool hasValue) is { } option)
                {
                    i += hasValue || !TakesValue(option) || args.ElementAtOrDefault(i + 1) is null or Separator ? 0 : 1;
                    continue;
                }

                unknown = taker is null ? null : arg;
                return args;
            }

            if (taker is not null)
            {
                return [.. args[..i], Separator, .. args[i..]];
            }

            if (current.Subcommands.FirstOrDefault(command => command.Name == arg) is not { } next)
            {
                return args;
            }

            current = next;
            taker = next is CliCommand { TakesCommandLine: true } found ? found : null;
        }

        return args;
    }

    /// <summary>
    /// What to say of options of <paramref name="taker"/> that stand behind the first word of a command, to which they are given; null:
    /// none does, or the user wrote <c>--</c> and so where the command begins.
    /// </summary>
    public static string? Strays(Command taker, string[] args, string[] marked)
    {
        if (args.Length == marked.Length)
        {
            return null;
        }

        string[] command = marked[(Array.IndexOf(marked, Separator) + 1)..];
        string[] own = [.. taker.Options.SelectMany(Names).Where(name => name.StartsWith("--", StringComparison.Ordinal))];
        string[] strays =
        [
            .. command.TakeWhile(word => word != Separator).Select(word => word.Split('=', 2)[0]).Where(own.Contains).Distinct(),
        ];
        return strays.Length == 0
            ? null
            : $"{string.Join(" and ", strays)} behind '{command[0]}' {(strays.Length == 1 ? "goes" : "go")} to it; "
                + $"options of {taker.Name} stand before the command";
    }

    /// <summary>The options that may stand behind a command: its own, and those of all commands.</summary>
    public static IEnumerable<Option> OptionsOf(Command command) =>
        command.Options.Concat(Upwards(command).Skip(1).SelectMany(above => above.Options.Where(option => option.Recursive)));

    /// <summary>A command and those that it stands below, up to the root.</summary>
    public static IEnumerable<Command> Upwards(Command command)
    {
        for (Command? next = command; next is not null; next = next.Parents.OfType<Command>().FirstOrDefault())
        {
            yield return next;
        }
    }

    private static Option? Find(Command command, string arg, out bool hasValue)
    {
        int end = arg.IndexOfAny(['=', ':']);
        hasValue = end > 0;
        string name = hasValue ? arg[..end] : arg;
        Option[] options = [.. OptionsOf(command)];
        if (options.FirstOrDefault(option => Names(option).Contains(name)) is { } exact)
        {
            return exact;
        }

        // -eSEED=7: a short name with its value right behind it.
        hasValue = true;
        return arg[1] == '-' ? null : options.FirstOrDefault(option => TakesValue(option) && Names(option).Contains(arg[..2]));
    }

    private static IEnumerable<string> Names(Option option) => option.Aliases.Prepend(option.Name);

    private static bool TakesValue(Option option) => option.Arity.MinimumNumberOfValues > 0;
}
