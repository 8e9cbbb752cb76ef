using System.Globalization;
using ActorTrainer.Core.Queries;
using ActorTrainer.Core.Tasks;

namespace ActorTrainer.Testing.Processes;

/// <summary>
/// What became of the committed steps of a task, judged by its whole history and by what an observer was shown of it before.
/// </summary>
/// <param name="LostSteps">Steps that were committed and had to be done again, and one for each checkpoint that is gone from the
/// history.</param>
/// <param name="DoubleWrites">Events of a lower term than one before them: an owner wrote after a newer one had begun.</param>
/// <param name="Faults">One sentence for each.</param>
public sealed record CommittedHistory(long LostSteps, int DoubleWrites, IReadOnlyList<string> Faults)
{
    /// <summary>Judges a task.</summary>
    /// <param name="seen">What was shown while it ran.</param>
    /// <param name="history">All of its events, read at the end.</param>
    public static CommittedHistory Judge(IReadOnlyList<EventRow> seen, IReadOnlyList<EventRow> history)
    {
        List<string> faults = [];
        long lost = 0;
        Dictionary<long, EventRow> kept = history.ToDictionary(row => row.Sequence);
        foreach (
            (EventRow row, CheckpointRef checkpoint) in seen.Where(row => row.Event is TaskCheckpointed)
                .Select(row => (row, ((TaskCheckpointed)row.Event).Checkpoint))
        )
        {
            string? now = (kept.GetValueOrDefault(row.Sequence)?.Event as TaskCheckpointed)?.Checkpoint.Name;
            if (now != checkpoint.Name)
            {
                lost++;
                faults.Add(
                    string.Create(
                        CultureInfo.InvariantCulture,
                        $"{row.Task}: checkpoint {checkpoint.Name} was acknowledged as event {row.Sequence}; "
                            + $"the history has {now ?? "none"} there"
                    )
                );
            }
        }

        int doubleWrites = 0;
        long term = 0;
        Dictionary<string, long> committed = [];
        foreach (EventRow row in history.OrderBy(row => row.Sequence))
        {
            if (row.Term < term)
            {
                doubleWrites++;
                faults.Add(Text($"{row.Task}: event {row.Sequence} has term {row.Term} after one of term {term}"));
            }

            term = Math.Max(term, row.Term);
            switch (row.Event)
            {
                case TaskCheckpointed e:
                    committed[e.Checkpoint.Name] = e.Checkpoint.Step;
                    break;
                case TaskCheckpointDamaged e:
                    // Its bytes were lost, which is known and allowed for: the one before is used.
                    committed.Remove(e.Checkpoint);
                    break;
                case TaskCheckpointSetAside e:
                    // Starts from it failed again and again: so is this.
                    committed.Remove(e.Checkpoint);
                    break;
                case TaskStarted e when committed.Values.DefaultIfEmpty(0).Max() is long newest && e.RestoredStep < newest:
                    lost += newest - e.RestoredStep;
                    faults.Add(
                        Text($"{row.Task}: run {e.Run} (event {row.Sequence}) began at step {e.RestoredStep}, below the committed {newest}")
                    );
                    break;
            }
        }

        return new CommittedHistory(lost, doubleWrites, faults);
    }

    private static string Text(FormattableString text) => text.ToString(CultureInfo.InvariantCulture);
}
