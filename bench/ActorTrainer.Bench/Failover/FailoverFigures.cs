using System.Globalization;
using ActorTrainer.Bench.Common;

namespace ActorTrainer.Bench.Failover;

/// <summary>What one combination of database and mode has shown, and its result line.</summary>
internal sealed class FailoverFigures
{
    private readonly Distribution[] _parts = [.. RestartParts.Names.Select(_ => new Distribution())];
    private readonly Distribution[] _gapParts = [.. GapParts.Names.Select(_ => new Distribution())];

    /// <summary>Fault to the first step of the new run, whatever step it is.</summary>
    public Distribution Restart { get; } = new();

    /// <summary>Fault to the first step that was never done before.</summary>
    public Distribution Resume { get; } = new();

    /// <summary>Fault to the moment in which another node shows the lost one as down.</summary>
    public Distribution Down { get; } = new();

    /// <summary>Last step at the source to the first one at the destination; below 0 when both trained at once.</summary>
    public Distribution Gap { get; } = new();

    public Distribution Redone { get; } = new();

    /// <summary>Runs in a process that had been started before the fault.</summary>
    public int WarmStarts { get; set; }

    public long LostSteps { get; set; }

    public long DoubleWriters { get; set; }

    public void Add(RestartParts parts) => Add(_parts, parts.Values);

    public void Add(GapParts parts) => Add(_gapParts, parts.Values);

    /// <summary>The figures of a mode, without what says which it is. Times are in milliseconds.</summary>
    public string Line(string mode)
    {
        IEnumerable<string> figures = FailoverOptions.IsDrain(mode)
            ? [$"moved={Gap.Count}", .. Both("gap_ms", Gap), .. Medians(GapParts.Names, _gapParts)]
            :
            [
                .. Both("restart_ms", Restart),
                .. Both("resume_ms", Resume),
                .. Both("until_down_ms", Down),
                .. Medians(RestartParts.Names, _parts),
            ];
        return string.Join(
            ' ',
            [
                .. figures,
                $"warm_starts={WarmStarts}",
                .. Both("steps_redone", Redone),
                $"lost_committed_steps={LostSteps}",
                $"double_writers={DoubleWriters}",
            ]
        );
    }

    private static void Add(Distribution[] parts, long[] values)
    {
        for (int i = 0; i < parts.Length; i++)
        {
            parts[i].Add(values[i]);
        }
    }

    private static IEnumerable<string> Medians(string[] names, Distribution[] parts) =>
        parts.Select((part, i) => $"{names[i]}_ms_p50={Text(part.Percentile(50))}");

    private static string[] Both(string name, Distribution values) =>
        [$"{name}_p50={Text(values.Percentile(50))}", $"{name}_max={Text(values.Max)}"];

    private static string Text(double value) => value.ToString("0", CultureInfo.InvariantCulture);
}
