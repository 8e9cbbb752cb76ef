using ActorTrainer.Cluster.Messages;
using ActorTrainer.Core.Cluster;
using ActorTrainer.Core.Membership;
using Akka.Actor;
using Akka.Cluster;
using Microsoft.Extensions.Logging;
using AkkaCluster = Akka.Cluster.Cluster;

namespace ActorTrainer.Cluster.Members;

/// <summary>
/// Carries <see cref="JournalLossRule"/> out: a node that does not reach the journal asks the others whether they do, and ends its life
/// when it alone has lost it. It begins another one when it has the journal again.
/// </summary>
internal sealed partial class JournalWatch : ReceiveActor, IWithTimers
{
    /// <summary>Its name below <c>/user</c>, the same on every node.</summary>
    public const string Name = "actortrainer-journal";

    private static readonly TimeSpan CheckEvery = TimeSpan.FromMilliseconds(500);

    private readonly AkkaCluster _cluster = AkkaCluster.Get(Context.System);
    private readonly ListeningTime _time = ListeningTime.Of(Context.System.EventStream, CheckEvery);
    private readonly ILogger _logger;
    private readonly JournalLossRule _rule;
    private JournalStanding _last = JournalStanding.Reached;

    /// <param name="limit">How long others have what this node has not before it gives up.</param>
    /// <param name="logger">Where it logs.</param>
    public JournalWatch(TimeSpan limit, ILogger logger)
    {
        _logger = logger;
        _rule = new JournalLossRule(limit, _time.Now);
        Receive<RowsRead>(read => _rule.OnRead(read.ListenedAt));
        Receive<Check>(_ => OnCheck(limit));
        Receive<JournalQuestion>(_ =>
            Sender.Tell(
                new JournalAnswer(_cluster.SelfUniqueAddress.Address.ToString(), _cluster.SelfUniqueAddress.Uid, _rule.Reaches(_time.Now))
            )
        );
        Receive<JournalAnswer>(answer => _rule.OnAnswer(new MemberKey(answer.Address, answer.Uid), answer.Reaches, _time.Now));
    }

    public ITimerScheduler Timers { get; set; } = null!;

    protected override void PreStart()
    {
        Context.System.EventStream.Subscribe(Self, typeof(RowsRead));
        Timers.StartPeriodicTimer(nameof(Check), Check.Instance, CheckEvery);
    }

    protected override void PostStop() => Context.System.EventStream.Unsubscribe(Self);

    private void OnCheck(TimeSpan limit)
    {
        JournalStanding standing = _rule.Decide(_time.Now);
        if (standing == JournalStanding.MissedAlone && _last != standing)
        {
            LogAlone(_logger, limit.TotalSeconds);
        }

        _last = standing;
        if (standing == JournalStanding.GivesUp)
        {
            Context.System.EventStream.Publish(
                new LifeLost("this node alone does not reach the journal: its tasks go on where they can be committed")
            );
        }
        else if (standing != JournalStanding.Reached && !_cluster.IsTerminated)
        {
            AskOthers();
        }
    }

    /// <summary>Only those that could take the tasks.</summary>
    private void AskOthers()
    {
        ClusterEvent.CurrentClusterState state = _cluster.State;
        foreach (
            Member member in state.Members.Where(m =>
                m.Status == Akka.Cluster.MemberStatus.Up
                && !state.Unreachable.Contains(m)
                && !m.UniqueAddress.Equals(_cluster.SelfUniqueAddress)
            )
        )
        {
            Context.ActorSelection(member.Address + Self.Path.ToStringWithoutAddress()).Tell(JournalQuestion.Instance);
        }
    }

    [LoggerMessage(
        Level = LogLevel.Warning,
        Message = "this node does not reach the journal and others do: unless that changes within {Seconds} s it gives its tasks up"
    )]
    private static partial void LogAlone(ILogger logger, double seconds);

    private sealed class Check : INoSerializationVerificationNeeded
    {
        public static Check Instance { get; } = new();
    }
}
