using ActorTrainer.Core.Identity;
using ActorTrainer.Core.Journaling;
using ActorTrainer.Core.Tasks;
using ActorTrainer.Runtime.Client;

namespace ActorTrainer.Bench.Failover;

/// <summary>A task as an observer outside the cluster knows it: what its events said, and what its trainer wrote down.</summary>
internal sealed class Watched(string name, string stepsPath)
{
    private long _after;

    public string Name { get; } = name;

    public string StepsPath { get; } = stepsPath;

    public StepLog Steps { get; } = new(stepsPath);

    /// <summary>Where it runs.</summary>
    public NodeAddress? Node { get; private set; }

    /// <summary>Runs started, and the same when it was last lost.</summary>
    public int Runs { get; private set; }

    public int RunsAtLoss { get; set; }

    /// <summary>Step of the newest checkpoint seen.</summary>
    public long Committed { get; private set; }

    /// <summary>Whether its present run has committed one.</summary>
    public bool CommittedInRun { get; private set; }

    /// <summary>Step that its present run began from.</summary>
    public long RestoredStep { get; private set; }

    /// <summary>Names of all checkpoints seen.</summary>
    public List<string> Seen { get; } = [];

    public async Task ObserveAsync(ActorTrainerClient client)
    {
        foreach (EventRow row in (await client.ListEventsAsync(Name, _after)).Events)
        {
            _after = row.Sequence;
            switch (row.Event)
            {
                case TaskStarted started:
                    Node = started.Node;
                    Runs = started.Run;
                    RestoredStep = started.RestoredStep;
                    CommittedInRun = false;
                    break;
                case TaskCheckpointed checkpointed:
                    Committed = Math.Max(Committed, checkpointed.Checkpoint.Step);
                    CommittedInRun = true;
                    Seen.Add(checkpointed.Checkpoint.Name);
                    break;
            }
        }
    }
}
