using System.Text;
using ActorTrainer.Core.Tasks;

namespace ActorTrainer.Cli.Output;

/// <summary>The last lines that a run printed before it failed.</summary>
internal static class LastLinesText
{
    public const int InEvents = 5;
    public const int InDetails = 10;
    private const int Longest = 160;

    /// <summary>The failure that an event tells of, or null.</summary>
    public static Failure? FailureOf(TaskEvent happened) =>
        happened switch
        {
            TaskRetryScheduled { NodeUnfit: false } e => e.Failure,
            TaskFailed e => e.Failure,
            TaskHeld e => e.Failure,
            _ => null,
        };

    /// <summary>Those of the failure that an event tells of; empty: it tells of none.</summary>
    public static string Of(TaskEvent happened, int most) => Of(FailureOf(happened), most);

    /// <summary>The lines, each behind a '|'; empty: it printed nothing.</summary>
    /// <param name="failure">The failure.</param>
    /// <param name="most">How many of the last.</param>
    public static string Of(Failure? failure, int most) =>
        string.Join(
            '\n',
            (failure?.LastLines ?? []).Select(Plain).Where(line => line.Length > 0).TakeLast(most).Select(line => $"| {line}")
        );

    /// <summary>Without what a terminal would take for a command.</summary>
    private static string Plain(string line)
    {
        StringBuilder plain = new(line.Length);
        for (int i = 0; i < line.Length && plain.Length < Longest; i++)
        {
            if (line[i] == '\e' && i + 1 < line.Length && line[i + 1] == '[')
            {
                i += 2;
                while (i < line.Length && line[i] is < '@' or > '~')
                {
                    i++;
                }
            }
            else if (!char.IsControl(line[i]))
            {
                _ = plain.Append(line[i]);
            }
            else if (line[i] == '\t')
            {
                _ = plain.Append("  ");
            }
        }

        string text = plain.ToString().TrimEnd();
        return text.Length < Longest ? text : $"{text[..(Longest - 1)]}…";
    }
}
