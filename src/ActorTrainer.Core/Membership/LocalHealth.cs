namespace ActorTrainer.Core.Membership;

/// <summary>
/// How far this node doubts itself before it doubts others (Dadgar, Phillips, Currey: "Lifeguard: local health awareness for more
/// accurate failure detection", 2018, section IV.A). Late ticks and the silence of many peers at once are signs of its own trouble
/// and stretch its time-outs; quiet heartbeats take the doubt back.
/// </summary>
internal sealed class LocalHealth
{
    private const int Worst = 4;
    private const double Stretch = 0.25;
    private int _doubt;

    /// <summary>What the node multiplies its own time-outs with: 1 to 2.</summary>
    public double Factor => 1 + (Stretch * _doubt);

    public void Doubt() => _doubt = int.Min(Worst, _doubt + 1);

    public void Recover() => _doubt = int.Max(0, _doubt - 1);
}
