"""Small sets of published figures, as files. Sources: ic-crc/crc-covlib (P.2109, P.676), ITU-Rpy (P.676, P.838),
NTIA/p2108, NTIA/itm, and ns-3 (TR 38.901)."""

from __future__ import annotations

from pathlib import Path

FILES = {
    "p2109/itu_bel.csv": (
        "freqency (GHz),probability (%),building type,elevation angle (deg),building entry loss (dB)\n"
        "66.693333333,45.833333417,1,22.500000000,26.0335503151272931\n"
        "75.020000000,99.999999000,1,37.500000000,105.8635000464519464\n"
        "33.386666667,79.166666083,2,-52.500000000,70.1013246379845754\n"
    ),
    "p676/itu_13_gamma.csv": (
        "f,P,T,rho,gamma0,gammaw,gamma\n"
        "(GHz),(hPA),(K),(g/cm3),(dB/km),(dB/km),(dB/km)\n"
        "37,1013.25,288.15,7.5,0.0382394012898148,0.0725221244262961,0.110761525716111\n"
        "297,1013.25,288.15,7.5,0.0252861600205914,4.99439966615115,5.01968582617174\n"
    ),
    "p676/specific_attenuation.csv": (
        "f (GHz),P (hPa),rho (g/m3),T (k),gamma0 (dB/km),gammaw (dB/km)\n"
        "1.0,1049.9999999999998,3.5,286.48333333333335,0.005742345655389052,2.288320515083473e-05\n"
    ),
    "p838/rain.csv": (
        "el,f,R,tau,k,alpha,gamma_r\n"
        "(\xb0),(GHz),(mm/h), t(\xb0),,,(dB/km)\n"
        "22.27833468,29,50.639304,0,0.22168203,0.95543001,9.42430244\n"
        "85.80459566,14.25,99.13558978,90,0.04133039,1.09499629,6.34064598\n"
    ),
    "p2108/TerrestrialStatisticalModel.csv": (
        "f__ghz,d__km,p,rtn,L_ctt__db\n10,0.24,50,49,0\n67,5.4,30.5,0,30.9\n0.5,0.25,1,0,3.9\n"
    ),
    "p2108/AeronauticalStatisticalModel.csv": "f__ghz,theta_deg,p,rtn,L_ces__db\n100.1,45,45,64,0\n30,2,99,0,87.3\n",
    "p2108/HeightGainTerminalCorrectionModel.csv": (
        "f__ghz,h__meter,w_s__meter,R__meter,clutter_type,rtn,A_h__db\n"
        "1.5,2,27,6,3,0,14.6\n1.5,2,27,10,1,0,16\n1.5,2,27,10,7,36,0\n"
    ),
    "tr38901/path_loss.csv": (
        "# Table 7.4.1-1\nscenario,h_bs_m,distance_2d_m,los,path_loss_db,asserted\n"
        "RMa,35,10,1,77.3784,1\nRMa,35,10000,1,140.3896,1\nRMa,35,5000,0,160.5169,1\n"
    ),
    "itm/area.csv": (
        "h_tx__meter,h_rx__meter,delta_h__meter,mdvar,d__km,tx_siting_criteria,rx_siting_criteria,"
        "epsilon,sigma,N_0,f__mhz,pol,climate,time,location,situation,A__db\n"
        "10,1,0,0,16,0,0,15,0.008,301,230,0,5,87,50,50,152.5\n"
        "3,1.5,10,1,10,1,0,15,0.008,301,450,0,5,40,28,25,133.0\n"
    ),
}


def write_sets(folder: Path) -> Path:
    """Write ``FILES`` below ``folder``, in Latin-1, and return it."""
    for name, text in FILES.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(text.encode("latin-1"))
    return folder


def change(folder: Path, name: str, old: str, new: str) -> None:
    """Replace the one place where ``old`` stands in a file by ``new``."""
    path = folder / name
    text = path.read_bytes().decode("latin-1")
    assert text.count(old) == 1
    path.write_bytes(text.replace(old, new).encode("latin-1"))
