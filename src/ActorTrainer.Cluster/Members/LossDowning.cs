using ActorTrainer.Cluster.Systems;
using Akka.Actor;
using Akka.Cluster;
using AkkaCluster = Akka.Cluster.Cluster;

namespace ActorTrainer.Cluster.Members;

/// <summary>Who is downed when members are lost: see <see cref="Core.Cluster.DowningRule"/>. For systems that ActorTrainer makes.</summary>
/// <remarks>Made by Akka from <c>akka.cluster.downing-provider-class</c>, by reflection.</remarks>
public sealed class LossDowning : IDowningProvider
{
    private readonly ActorSystem _system;
    private readonly AkkaCluster _cluster;

    /// <summary>Called by Akka.</summary>
    public LossDowning(ActorSystem system, AkkaCluster cluster)
    {
        _system = system;
        _cluster = cluster;
    }

    /// <inheritdoc />
    /// <remarks>
    /// None. Should two sides go on all the same, the journal takes the events of one of them only, so that no time has to be left for the
    /// other to end; and a wait would come twice in a row when the coordinator is lost.
    /// </remarks>
    public TimeSpan DownRemovalMargin => TimeSpan.Zero;

    /// <inheritdoc />
    public Props DowningActorProps
    {
        get
        {
            SessionSetup setup = SessionSetup.Of(_system);
            AkkaCluster cluster = _cluster;
            return Props.Create(() => new DowningActor(setup, cluster, false));
        }
    }
}
