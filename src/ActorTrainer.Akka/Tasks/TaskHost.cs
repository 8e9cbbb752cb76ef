using System.Collections.Concurrent;
using ActorTrainer.Core.Identity;
using ActorTrainer.Core.Tasks;
using Akka.Actor;
using Microsoft.Extensions.Logging;

namespace ActorTrainer.Akka.Tasks;

/// <summary>What the tasks on a node share: who they are there, the way to workers and store, and where each of them is.</summary>
/// <param name="home">The node's life.</param>
/// <param name="effects">Starts what the tasks ask for; returns at once.</param>
/// <param name="slots">The node's <see cref="SlotActor"/>.</param>
/// <param name="now">Monotonic time.</param>
/// <param name="logger">Where tasks log.</param>
internal sealed class TaskHost(EntityHome home, Action<TaskEffect> effects, IActorRef slots, Func<TimeSpan> now, ILogger logger)
{
    private readonly ConcurrentDictionary<TaskId, IActorRef> _here = new();
    private readonly ConcurrentDictionary<TaskId, bool> _withoutSnapshot = new();

    public EntityHome Home { get; } = home;

    public IActorRef Slots { get; } = slots;

    public ILogger Logger { get; } = logger;

    /// <summary>The node goes: tasks that are handed over say so.</summary>
    public bool Leaving { get; set; }

    public TimeSpan Now => now();

    public void Start(TaskEffect effect) => effects(effect);

    /// <summary>Gives an input to its task, if that is here.</summary>
    public void Post(TaskInput input)
    {
        if (input.Target is TaskId task && _here.TryGetValue(task, out IActorRef? entity))
        {
            entity.Tell(input);
        }
    }

    public void Enter(TaskId task, IActorRef entity) => _here[task] = entity;

    /// <summary>Forgets an actor, unless the task has come back in another one.</summary>
    public void Leave(TaskId task, IActorRef entity) => _here.TryRemove(new KeyValuePair<TaskId, IActorRef>(task, entity));

    /// <summary>A snapshot of another fold version was found: the task is replayed from its first event from now on.</summary>
    public void PassOverSnapshots(TaskId task) => _withoutSnapshot[task] = true;

    public bool PassesOverSnapshots(TaskId task) => _withoutSnapshot.ContainsKey(task);
}
