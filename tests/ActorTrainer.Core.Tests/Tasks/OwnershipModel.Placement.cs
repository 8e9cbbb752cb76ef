using ActorTrainer.Core.Configuration;
using ActorTrainer.Core.Identity;
using ActorTrainer.Core.Placement;
using ActorTrainer.Core.Sharding;
using ActorTrainer.Core.Tasks;

namespace ActorTrainer.Core.Tests.Tasks;

/// <content>What a coordinator does: it gives the shards of lost lives to others.</content>
internal sealed partial class OwnershipModel
{
    /// <summary>
    /// The oldest member that a life knows gives the tasks out, and those that hear it know sooner or later; on the life that has one it is
    /// recovered.
    /// </summary>
    private void Place(ModelLife life)
    {
        long[] members =
        [
            .. _lives.Where(l => !life.Downed.Contains(l.Number) && !(_downOnRecord.Contains(l.Number) && !l.Alive)).Select(l => l.Number),
        ];
        ModelLife coordinator = _lives.First(l => l.Number == members.Min());
        if (coordinator == life)
        {
            Allocate(life, members);
        }
        else if (Hears(life, coordinator) && Chance(3))
        {
            Tell(coordinator, life);
        }

        foreach (
            TaskId task in Tasks.Where(t =>
                life.HasJournal && life.Homes.GetValueOrDefault(t) == life.Number && !life.Owners.ContainsKey(t) && !IsDone(t)
            )
        )
        {
            ModelOwner owner = new(task, life.Number, Journal[task].Count);
            owner.Entity.Recover(null, Journal[task].Select(e => e.Event));
            life.Owners[task] = owner;
            Execute(owner, owner.Entity.Recovered(_now));
            if (owner.Entity.State is null)
            {
                Execute(
                    owner,
                    owner.Entity.On(new SubmitTask(EntityDriver.Trainer(s => s with { Name = task.Value.Split('-')[0] }), "hash"), _now)
                );
            }
        }
    }

    private void Allocate(ModelLife life, long[] members)
    {
        // Now and then one moves: the owner before goes on until it hears of it.
        TaskId[] homeless = [.. Tasks.Where(t => !members.Contains(life.Homes.GetValueOrDefault(t)) || (_faults && Chance(200)))];
        if (homeless.Length == 0)
        {
            return;
        }

        PlacementPlanner planner = new(new ShardingModel());
        planner.SetNodes([.. members.Select(m => new NodeCapacity(m, 2, Accepts: true, MustEmpty: false))]);
        foreach (TaskId task in Tasks)
        {
            planner.Show(new TaskDemand(task, ShardOf(task), 0, 1, Waiting: true, 0, Alone: false), _now);
        }

        planner.SetOwners(Tasks.Except(homeless).ToDictionary(ShardOf, t => life.Homes[t]));
        foreach (TaskId task in homeless)
        {
            life.Homes[task] = planner.Allocate(ShardOf(task), _now);
        }
    }

    private static void Tell(ModelLife coordinator, ModelLife other)
    {
        foreach ((TaskId task, long home) in coordinator.Homes)
        {
            other.Homes[task] = home;
        }
    }
}
